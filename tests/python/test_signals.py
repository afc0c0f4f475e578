"""Ctrl-C and other signals during an upload."""

import io
import os
import signal
import threading
from typing import Any, Callable, Iterator, List

import ocireg
import pytest
from ocireg import Client, Progress, Repository
from support.doubles import Double, Request

CONTENT = b"x" * 3_000_000


class Alarm(Exception):
    pass


def interrupt_at(method: str, number: int = signal.SIGINT) -> Callable[[Request], Any]:
    """A registry that sends a signal to this process while the client waits for its answer."""

    def answer(request: Request) -> Any:
        if request.method == method:
            os.kill(os.getpid(), number)
        return None

    return answer


@pytest.mark.parametrize("with_progress", [False, True])
@pytest.mark.parametrize("source", [lambda: CONTENT, lambda: io.BytesIO(CONTENT)])
def test_ctrl_c_that_comes_during_a_request_ends_the_upload(
    source: Callable[[], Any], with_progress: bool, client: Client
) -> None:
    seen: List[Progress] = []
    with Double(interrupt_at("POST")) as double:
        repository = client.repository(f"{double.url}/name")
        with pytest.raises(KeyboardInterrupt):
            repository.upload_blob(source(), progress=seen.append if with_progress else None)
        # Ended at once, with the session cancelled.
        assert double.methods == ["POST", "DELETE"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_that_comes_with_the_last_answer_is_not_lost(client: Client) -> None:
    with Double(interrupt_at("PUT")) as double:
        with pytest.raises(KeyboardInterrupt):
            client.repository(f"{double.url}/name").upload_blob(CONTENT)


def test_ctrl_c_in_a_source_ends_the_upload(repository: Repository) -> None:
    def content() -> Iterator[bytes]:
        yield CONTENT
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("not reached")

    with pytest.raises(KeyboardInterrupt):
        repository.upload_blob(content())
    assert repository.upload_blob(iter([CONTENT])).size == len(CONTENT)


def test_another_signal_ends_the_upload_when_its_handler_raises(client: Client) -> None:
    def handler(*_: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with Double(interrupt_at("POST", signal.SIGUSR1)) as double:
            with pytest.raises(Alarm):
                client.repository(f"{double.url}/name").upload_blob(CONTENT)
        assert signal.getsignal(signal.SIGUSR1) is handler
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_handler_that_does_not_raise_runs_and_the_upload_goes_on(client: Client) -> None:
    ran: List[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: ran.append(number))
    try:
        with Double(interrupt_at("POST", signal.SIGUSR1)) as double:
            assert client.repository(f"{double.url}/name").upload_blob(CONTENT).size == len(CONTENT)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert ran == [signal.SIGUSR1]


def test_uploads_on_other_threads_leave_signals_alone(client: Client) -> None:
    handlers: List[Any] = []
    with Double() as double:
        repository = client.repository(f"{double.url}/name")

        def upload() -> None:
            repository.upload_blob(CONTENT, progress=lambda _: handlers.append(signal.getsignal(signal.SIGINT)))

        thread = threading.Thread(target=upload)
        thread.start()
        thread.join()
    assert set(handlers) == {signal.default_int_handler}


def test_an_interrupt_of_an_upload_inside_an_upload_ends_both(layout: Repository) -> None:
    def content() -> Iterator[bytes]:
        layout.upload_blob(b"inner", progress=lambda _: signal.raise_signal(signal.SIGINT))
        yield b"outer"

    with pytest.raises(KeyboardInterrupt):
        layout.upload_blob(content())
    assert layout.upload_blob(b"inner").size == 5


def test_a_manifest_upload_that_is_interrupted_says_so_when_the_answer_has_come(client: Client) -> None:
    digest = "sha256:" + "0" * 64
    with Double(interrupt_at("PUT")) as double:
        with pytest.raises(KeyboardInterrupt):
            client.repository(f"{double.url}/name").upload_manifest(
                ocireg.Manifest(ocireg.Descriptor("a/b", digest, 1)), ["demo"]
            )
