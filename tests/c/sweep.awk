# Writes a C program from the header: see sweep.h. Understands what the generator of the header writes, and stops at a
# type that it does not know, so that no function is left out.

function trim(s) { gsub(/^[ \t\n]+|[ \t\n]+$/, "", s); return s }

function fail(message) { print "sweep.awk: " message > "/dev/stderr"; failed = 1; exit 1 }

# Splits a parameter into type[i] and name[i].
function parameter(i, text) {
    match(text, /[A-Za-z_0-9]+$/)
    name[i] = substr(text, RSTART)
    type[i] = trim(substr(text, 1, RSTART - 1))
    gsub(/struct /, "", type[i])
}

function is_pointer(i) { return type[i] ~ /\*$/ || type[i] ~ /_fn$/ }

function is_counted(i) { return (type[i] == "const uint8_t *" || type[i] == "const char *const *") }

function is_text(i) { return type[i] == "const char *" }

# Something that the function must take.
function valid(i,    t, object) {
    t = type[i]
    if (is_text(i)) {
        if (name[i] == "address") return "sweep_address"
        if (name[i] == "digest") return "SWEEP_DIGEST"
        if (name[i] ~ /path$/) return "sweep_path"
        if (name[i] == "text") return "\"localhost/a:b\""
        return "\"some-text\""
    }
    if (t == "const char *const *") return "sweep_texts"
    if (t == "const uint8_t *") return "(const uint8_t *)\"{}\""
    if (t == "ocireg_progress_fn" || t == "void *") return "NULL"
    if (t ~ /^(const )?ocireg_[a-z_]+ \*$/) {
        object = t
        sub(/^const /, "", object); sub(/ \*$/, "", object); sub(/^ocireg_/, "sweep_", object)
        return (object == "sweep_reader" ? "&" : "") object
    }
    if (t ~ /^(ocireg_[a-z_]+ \*\*|const char \*\*|size_t \*|bool \*)$/) return "&out" i
    if (t == "size_t") return i > 1 && type[i - 1] == "const uint8_t *" ? "2" : (name[i] ~ /_count$/ ? "1" : "0")
    if (t == "bool") return "true"
    if (t ~ /^(uint32_t|uint64_t|int32_t|ocireg_status|ocireg_algorithm|ocireg_trust_roots)$/) return "1"
    fail("the type '" t "' of " fn " is not known")
}

# One call with the expressions arg[1..n]; `expected` is a status, or "" for a function that returns none.
function call(what, expected,    i, text, err, base) {
    printf "    {\n"
    text = ""
    err = "NULL"
    for (i = 1; i <= n; i++) {
        text = text (i > 1 ? ", " : "") arg[i]
        if (arg[i] != "&out" i) continue
        base = type[i]
        sub(/ \*+$/, "", base)
        # What was there before must be gone afterwards.
        if (type[i] ~ /^ocireg/) printf "        %s *out%d = (%s *)&sweep_path;\n", base, i, base
        else if (type[i] == "const char **") printf "        const char *out%d = sweep_path;\n", i
        else printf "        %s out%d = 1;\n", base, i
        if (type[i] == "ocireg_error **") err = "out" i
    }
    if (expected == "") {
        base = result
        gsub(/struct /, "", base)
        if (base ~ /^ocireg_[a-z_]+ \*$/) {
            sub(/ \*$/, "", base)
            printf "        %s_free(%s(%s));\n", base, fn, text
        } else if (result == "void") printf "        %s(%s);\n", fn, text
        else printf "        (void)%s(%s);\n", fn, text
    } else {
        printf "        ocireg_status status = %s(%s);\n", fn, text
        printf "        sweep_status(\"%s with %s\", status, %s, %s, %d);\n", fn, what, expected, err, err != "NULL"
    }
    for (i = 1; i <= n; i++) {
        if (arg[i] != "&out" i || type[i] == "ocireg_error **") continue
        if (type[i] ~ /^ocireg/) {
            base = type[i]; sub(/ \*\*$/, "", base)
            printf "        check_that(status == OCIREG_OK || out%d == NULL, \"%s empties its output\", __FILE__, __LINE__);\n", i, fn
            printf "        %s_free(out%d);\n", base, i
        } else {
            printf "        (void)out%d;\n", i
        }
    }
    printf "    }\n"
}

function all_valid(    i) { for (i = 1; i <= n; i++) arg[i] = valid(i) }

function sweep(declaration,    i, open, list, parts, status) {
    open = index(declaration, "(")
    list = trim(substr(declaration, open + 1)); sub(/\)$/, "", list)
    declaration = trim(substr(declaration, 1, open - 1))
    gsub(/OCIREG_API|OCIREG_MUST_USE/, "", declaration)
    match(declaration, /[a-z_0-9]+$/)
    fn = substr(declaration, RSTART)
    result = trim(substr(declaration, 1, RSTART - 1))
    status = result == "ocireg_status" && fn !~ /_error_status$/
    n = list == "void" ? 0 : split(list, parts, ",")
    for (i = 1; i <= n; i++) parameter(i, trim(parts[i]))
    functions[++count] = fn
    printf "static void sweep_%d(void)\n{\n", count

    for (i = 1; i <= n; i++) arg[i] = is_pointer(i) ? "NULL" : (type[i] == "bool" ? "false" : "0")
    call("nothing", status ? "OCIREG_E_INVALID_ARGUMENT" : "")
    # Only one object of each type is at hand, and it is needed by the next.
    if (fn !~ /_free$/) {
        all_valid()
        call("everything", status ? "ANY_STATUS" : "")
        for (i = 1; i <= n; i++) {
            if (is_pointer(i)) {
                all_valid()
                arg[i] = "NULL"
                if (is_counted(i)) {
                    arg[i + 1] = "0"
                    call("(NULL, 0) as " name[i], status ? "ANY_STATUS" : "")
                    arg[i + 1] = "5"
                    call("(NULL, 5) as " name[i], status ? "OCIREG_E_INVALID_ARGUMENT" : "")
                    arg[i + 1] = "SIZE_MAX"
                    call("(NULL, SIZE_MAX) as " name[i], status ? "OCIREG_E_INVALID_ARGUMENT" : "")
                } else {
                    call("NULL as " name[i], status ? "ANY_STATUS" : "")
                }
            }
            if (is_text(i)) {
                all_valid()
                arg[i] = "NOT_UTF8"
                call("no UTF-8 as " name[i], status ? (name[i] ~ /path$/ ? "ANY_STATUS" : "OCIREG_E_INVALID_ARGUMENT") : "")
            }
            if (type[i] == "const uint8_t *") {
                all_valid()
                arg[i + 1] = "SIZE_MAX"
                call("SIZE_MAX bytes as " name[i], status ? "OCIREG_E_INVALID_ARGUMENT" : "")
            }
            if (type[i] == "size_t" && !(i > 1 && is_counted(i - 1))) {
                all_valid()
                arg[i] = "SIZE_MAX"
                call("SIZE_MAX as " name[i], status ? "ANY_STATUS" : "")
            }
        }
    }
    printf "}\n\n"
}

BEGIN { print "/* Written by tests/c/sweep.awk. */\n#include \"sweep.h\"\n" }

{
    line = $0
    # The header's comments begin and end lines.
    if (line ~ /^ *\/\*/ && line !~ /\*\//) { comment = 1; next }
    if (comment) { if (line ~ /\*\//) comment = 0; next }
    if (line ~ /^ *\/\*.*\*\/$/ || line ~ /^#/) next
    if (line ~ /^OCIREG_API/) declaration = " "
    if (declaration != "") {
        declaration = declaration " " line
        if (line ~ /;$/) {
            sub(/;$/, "", declaration)
            sweep(trim(declaration))
            declaration = ""
        }
    }
}

END {
    if (failed) exit 1
    print "int main(void)\n{\n    sweep_begin();"
    for (i = 1; i <= count; i++) printf "    sweep_%d();\n", i
    print "    sweep_end();\n    if (failures > 0)\n        return 1;"
    printf "    puts(\"sweep: %d functions\");\n    return 0;\n}\n", count
}
