/*
 * Numbers of version 2 of the PROXY protocol (haproxy's proxy-protocol.txt, section 2.2) and its
 * checksum: what the reader and the writer of a header share.
 */
#pragma once

#include <stdint.h>

#include "waypost/base/slice.h"

#define V2_SIGNATURE SLICE("\r\n\r\n\0\r\nQUIT\n")
#define V2_FIXED     16u /* signature, version and command, family and transport, length */
#define V2_LENGTH    14u /* where in it the length stands */

enum command { COMMAND_LOCAL = 0, COMMAND_PROXY = 1 };
enum family { FAMILY_UNSPEC, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX, FAMILY_COUNT };
enum transport { TRANSPORT_UNSPEC, TRANSPORT_STREAM, TRANSPORT_DGRAM, TRANSPORT_COUNT };

enum tlv_type {
    TLV_ALPN = 0x01,
    TLV_AUTHORITY = 0x02,
    TLV_CRC32C = 0x03,
    TLV_UNIQUE_ID = 0x05,
    TLV_SSL = 0x20,
    /* Inside TLV_SSL, behind its fixed part. */
    TLV_SSL_VERSION = 0x21,
    TLV_SSL_CN = 0x22,
    TLV_SSL_CIPHER = 0x23
};

#define TLV_HEAD      3u /* type and length */
#define CRC_SIZE      4u
#define SSL_FIXED     5u    /* client flags and the result of verification */
#define SSL_TLS       0x01u /* PP2_CLIENT_SSL */
#define SSL_CERT_CONN 0x02u /* PP2_CLIENT_CERT_CONN */
#define SSL_CERT_SESS 0x04u /* PP2_CLIENT_CERT_SESS */

/* CRC32c of a header; the four bytes at `hole`, where it will stand, count as zero. */
uint32_t proxyhdr_crc32c(struct slice header, size_t hole);
