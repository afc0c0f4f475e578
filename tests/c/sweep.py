"""Writes a C program that calls every function of the header with nothing: NULL, 0 and false for every argument.

Nothing may crash, and what can fail must say that an argument is missing. Objects that come out are freed.
"""

import re
import sys

header = re.sub(r"/\*.*?\*/", "", open(sys.argv[1]).read(), flags=re.S)
declaration = re.compile(
    r"^OCIREG_API\s+(?:OCIREG_MUST_USE\s+)?([a-z_0-9 ]*?\b[a-z_0-9]+\b[ *]*)\b(ocireg_[a-z0-9_]+)\(([^)]*)\);", re.M
)
print('#include <stdio.h>\n#include "ocireg.h"\n')
print("static int failures;\n")
print("int main(void)\n{")
count = 0
for kind, name, arguments in declaration.findall(header):
    count += 1
    kind = " ".join(kind.replace("struct ", "").split())
    parameters = [] if arguments.strip() == "void" else arguments.split(",")
    nothing = ", ".join("NULL" if "*" in one else "0" for one in parameters)
    if kind == "ocireg_status" and parameters and "ocireg_error **" in parameters[-1]:
        with_error = ", ".join(nothing.split(", ")[:-1] + ["&err"])
        print("    {")
        print("        ocireg_error *err = NULL;")
        print(f"        ocireg_status status = {name}({nothing});")
        print(f"        ocireg_status again = {name}({with_error});")
        print("        if (status != OCIREG_E_INVALID_ARGUMENT || again != status || err == NULL")
        print("            || ocireg_error_status(err) != status) {")
        print(f'            fprintf(stderr, "{name}: %d, %s\\n", (int)status, err ? ocireg_error_message(err) : "no error");')
        print("            failures++;")
        print("        }")
        print("        ocireg_error_free(err);")
        print("    }")
    elif kind.endswith("*") and not kind.startswith("const") and not parameters:
        print(f"    {name.rsplit('_', 1)[0]}_free({name}({nothing}));")
    else:
        print(f"    (void){name}({nothing});" if kind != "void" else f"    {name}({nothing});")
print(f'    fprintf(stderr, "{count} functions called with nothing\\n");')
print("    return failures == 0 ? 0 : 1;\n}")
if count < 100:
    sys.exit(f"only {count} functions found")
