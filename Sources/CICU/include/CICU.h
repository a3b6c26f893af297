/// The part of ICU that Escriba uses, behind our own names and types.
///
/// ICU's own headers stay inside this target: imported into Swift they clash with Foundation's ICU, and ICU renames its
/// functions with macros that Swift cannot see. Text is UTF-16. A status of 0 is success; `cicu_error_name` names others.
#ifndef CICU_H
#define CICU_H

#include <stdint.h>

typedef enum {
    CICU_NFC = 0,
    CICU_NFD = 1,
    CICU_NFKC = 2,
    CICU_NFKD = 3,
    CICU_NFKC_CASEFOLD = 4,
} cicu_form;

typedef struct cicu_breaker cicu_breaker;

/// "72.1" and "15.0": the versions of ICU and of Unicode in use. At least 20 bytes each.
void cicu_icu_version(char *out);
void cicu_unicode_version(char *out);

const char *cicu_error_name(int32_t status);

/// UTF-16 of `length` bytes of UTF-8 in `out` (at least `length` units); ill-formed parts become U+FFFD.
int32_t cicu_utf16_from_utf8(const uint8_t *utf8, int32_t length, uint16_t *out, int32_t *status);

/// UTF-8 of `length` units of well-formed UTF-16 in `out` (at least three times as many bytes).
int32_t cicu_utf8_from_utf16(const uint16_t *text, int32_t length, uint8_t *out, int32_t *status);

/// Decodes a charset, a part of the text at a time. One thread at a time.
typedef struct cicu_converter cicu_converter;
cicu_converter *cicu_converter_open(const char *name, int32_t *status);
void cicu_converter_close(cicu_converter *converter);
/// Decodes from `*source` on, which moves, until `end` or until `capacity` units are written; returns how many were. At an
/// ill-formed sequence it stops after it and sets `*ill_formed` to its length (parts of it may have come with earlier
/// calls), and `*pending` to how many bytes after it are consumed already; the next call continues. `is_last`: no more
/// text will come.
int32_t cicu_convert(cicu_converter *converter, const uint8_t **source, const uint8_t *end, int32_t is_last,
                     uint16_t *out, int32_t capacity, int32_t *ill_formed, int32_t *pending,
                     int32_t *status);

/// The charsets a text may have, the likeliest first: for each a name in 64 bytes of `names`, and how sure it is, from 0 to
/// 100. Returns how many there are, `capacity` at most.
int32_t cicu_detect(const uint8_t *bytes, int32_t length, char *names, int32_t *confidences, int32_t capacity,
                    int32_t *status);
/// The names of the available charsets, by index; null after the last. Their preferred MIME name where there is one.
const char *cicu_charset(int32_t index);

/// Writes the normal form of `text` to `out` and returns its length, which may be more than `capacity`: then nothing
/// can be used, and `status` is CICU_OVERFLOW.
int32_t cicu_normalize(cicu_form form, const uint16_t *text, int32_t length, uint16_t *out, int32_t capacity,
                       int32_t *status);
extern const int32_t CICU_OVERFLOW;

/// An iterator over extended grapheme clusters (UAX #29), root locale. One thread at a time.
cicu_breaker *cicu_breaker_open(int32_t *status);
void cicu_breaker_close(cicu_breaker *breaker);
/// `text` must stay where it is while the iterator is used.
void cicu_breaker_set_text(cicu_breaker *breaker, const uint16_t *text, int32_t length, int32_t *status);
/// The end of the next cluster, or -1 after the last.
int32_t cicu_breaker_next(cicu_breaker *breaker);

/// What is known about a scalar, whatever its neighbours.
enum {
    /// Between two scalars of this kind a grapheme cluster ends, and a normal form leaves both as they are. That holds
    /// where no rule of UAX #29 joins them (neither is a mark, a pictograph, a leading jamo, ...), and each is its own
    /// normal form and begins a segment of it (UAX #15).
    CICU_PLAIN = 1,
    /// The White_Space property.
    CICU_WHITE_SPACE = 2,
};

/// The kinds of the 256 scalars from `first` on, under a form, or without normalization if `form` is negative.
void cicu_classify(int32_t form, uint32_t first, uint8_t *out, int32_t *status);

#endif
