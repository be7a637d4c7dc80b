/*
 * What incremental work says: the one enum shared by every parser that is fed piece by piece.
 */
#pragma once

enum result {
    NEED_MORE, /* nothing is decided yet; call again with more bytes */
    DONE,      /* complete */
    BAD,       /* malformed or beyond a limit */
    CONTINUE,  /* complete up to here; the peer waits for a sign to go on (`+`) */
};
