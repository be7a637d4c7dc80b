/*
 * Finds the control socket in waypost.json for those who talk to a running proxy. Reads nothing
 * else, because the operator of a proxy that runs may be in the middle of mending its files.
 */
#include <jansson.h>

#include "conf/key.h"
#include "conf/memory.h"

bool conf_control_socket(const char *path, char **socket, struct conf_errors *errors)
{
    struct reader r = {.file = path};
    const char *text = NULL;
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);

    if (json == NULL) {
        bool opened = error.line >= 1;
        conf_errors_add(errors, path, opened ? (unsigned)error.line : 0, "", "%s%s",
                        opened ? "not JSON: " : "", error.text);
        return false;
    }
    if (json_unpack(json, "{s:{s:s}}", "control", "socket", &text) == 0)
        *socket = reader_path(&r, slice_str(text));
    else
        conf_errors_add(errors, path, 0, "/control/socket",
                        "expected the path of the control socket");
    json_decref(json);
    return text != NULL;
}
