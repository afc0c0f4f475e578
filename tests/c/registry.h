/*
 * A registry in a child process, as much of one as the C tests need. What it does wrong is said by the first part of
 * the repository's name:
 *
 *     limited/    answers every POST with 429, `Retry-After: 7` and two errors
 *     html/       answers every POST with 500 and a page of HTML
 *     reset/      resets the connection in the middle of a PUT
 *     anything    takes what it gets and has nothing
 */
#ifndef REGISTRY_H
#define REGISTRY_H

/* Starts it on a free port of 127.0.0.1, which is returned. */
int registry_start(void);

/* Ends it. */
void registry_stop(void);

#endif
