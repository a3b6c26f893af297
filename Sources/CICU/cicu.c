#include "CICU.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/uversion.h>

const int32_t CICU_OVERFLOW = U_BUFFER_OVERFLOW_ERROR;

struct cicu_breaker {
    UBreakIterator *iterator;
};

// Warnings are negative in ICU and mean success.
static int32_t code(UErrorCode status) { return U_FAILURE(status) ? (int32_t)status : 0; }

static void version(const uint8_t *parts, char *out) {
    UVersionInfo two = {parts[0], parts[1], 0, 0};
    u_versionToString(two, out);
}

void cicu_icu_version(char *out) {
    UVersionInfo parts;
    u_getVersion(parts);
    version(parts, out);
}

void cicu_unicode_version(char *out) {
    UVersionInfo parts;
    u_getUnicodeVersion(parts);
    version(parts, out);
}

const char *cicu_error_name(int32_t status) { return u_errorName((UErrorCode)status); }

int32_t cicu_utf16_from_utf8(const uint8_t *utf8, int32_t length, uint16_t *out, int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    int32_t written = 0;
    u_strFromUTF8WithSub((UChar *)out, length, &written, (const char *)utf8, length, 0xFFFD, NULL, &error);
    *status = code(error);
    return written;
}

int32_t cicu_utf8_from_utf16(const uint16_t *text, int32_t length, uint8_t *out, int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    int32_t written = 0;
    u_strToUTF8((char *)out, 3 * length, &written, (const UChar *)text, length, &error);
    *status = code(error);
    return written;
}

struct cicu_converter {
    UConverter *converter;
};

cicu_converter *cicu_converter_open(const char *name, int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(name, &error);
    if (U_SUCCESS(error)) ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &error);
    cicu_converter *result = U_SUCCESS(error) ? malloc(sizeof *result) : NULL;
    if (U_SUCCESS(error) && result == NULL) error = U_MEMORY_ALLOCATION_ERROR;
    *status = code(error);
    if (result == NULL) {
        ucnv_close(converter);
        return NULL;
    }
    result->converter = converter;
    return result;
}

void cicu_converter_close(cicu_converter *converter) {
    ucnv_close(converter->converter);
    free(converter);
}

int32_t cicu_convert(cicu_converter *converter, const uint8_t **source, const uint8_t *end, int32_t is_last,
                     uint16_t *out, int32_t capacity, int32_t *ill_formed, int32_t *pending, int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    UChar *target = (UChar *)out;
    ucnv_toUnicode(converter->converter, &target, target + capacity, (const char **)source, (const char *)end, NULL,
                   (UBool)is_last, &error);
    *ill_formed = *pending = 0;
    if (error == U_ILLEGAL_CHAR_FOUND || error == U_INVALID_CHAR_FOUND || error == U_TRUNCATED_CHAR_FOUND ||
        error == U_ILLEGAL_ESCAPE_SEQUENCE || error == U_UNSUPPORTED_ESCAPE_SEQUENCE) {
        char bytes[32];
        int8_t length = sizeof bytes;
        UErrorCode asked = U_ZERO_ERROR;
        ucnv_getInvalidChars(converter->converter, bytes, &length, &asked);
        *ill_formed = U_SUCCESS(asked) && length > 0 ? length : 1;
        *pending = ucnv_toUCountPending(converter->converter, &asked);
        error = U_ZERO_ERROR;
    }
    if (error == U_BUFFER_OVERFLOW_ERROR) error = U_ZERO_ERROR;
    *status = code(error);
    return (int32_t)((uint16_t *)target - out);
}

int32_t cicu_detect(const uint8_t *bytes, int32_t length, char *names, int32_t *confidences, int32_t capacity,
                    int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    int32_t found = 0, count = 0;
    UCharsetDetector *detector = ucsdet_open(&error);
    ucsdet_setText(detector, (const char *)bytes, length, &error);
    const UCharsetMatch **matches = ucsdet_detectAll(detector, &found, &error);
    for (int32_t i = 0; U_SUCCESS(error) && i < found && count < capacity; i++) {
        const char *name = ucsdet_getName(matches[i], &error);
        if (U_FAILURE(error) || strlen(name) >= 64) continue;
        strcpy(names + 64 * count, name);
        confidences[count] = ucsdet_getConfidence(matches[i], &error);
        count++;
    }
    ucsdet_close(detector);
    *status = code(error);
    return count;
}

const char *cicu_charset(int32_t index) {
    if (index >= ucnv_countAvailable()) return NULL;
    UErrorCode error = U_ZERO_ERROR;
    const char *name = ucnv_getAvailableName(index);
    const char *standard = ucnv_getStandardName(name, "MIME", &error);
    return U_SUCCESS(error) && standard != NULL ? standard : name;
}

static const UNormalizer2 *normalizer(cicu_form form, UErrorCode *error) {
    switch (form) {
    case CICU_NFC: return unorm2_getNFCInstance(error);
    case CICU_NFD: return unorm2_getNFDInstance(error);
    case CICU_NFKC: return unorm2_getNFKCInstance(error);
    case CICU_NFKD: return unorm2_getNFKDInstance(error);
    case CICU_NFKC_CASEFOLD: return unorm2_getNFKCCasefoldInstance(error);
    }
    *error = U_ILLEGAL_ARGUMENT_ERROR;
    return NULL;
}

int32_t cicu_normalize(cicu_form form, const uint16_t *text, int32_t length, uint16_t *out, int32_t capacity,
                       int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2 *with = normalizer(form, &error);
    int32_t written =
        unorm2_normalize(with, (const UChar *)text, length, (UChar *)out, capacity, &error);
    *status = code(error);
    return written;
}

cicu_breaker *cicu_breaker_open(int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    UBreakIterator *iterator = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &error);
    *status = code(error);
    if (*status != 0) return NULL;
    cicu_breaker *breaker = malloc(sizeof *breaker);
    if (breaker == NULL) {
        ubrk_close(iterator);
        *status = U_MEMORY_ALLOCATION_ERROR;
        return NULL;
    }
    breaker->iterator = iterator;
    return breaker;
}

void cicu_breaker_close(cicu_breaker *breaker) {
    ubrk_close(breaker->iterator);
    free(breaker);
}

void cicu_breaker_set_text(cicu_breaker *breaker, const uint16_t *text, int32_t length, int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    ubrk_setText(breaker->iterator, (const UChar *)text, length, &error);
    *status = code(error);
}

int32_t cicu_breaker_next(cicu_breaker *breaker) {
    int32_t end = ubrk_next(breaker->iterator);
    return end == UBRK_DONE ? -1 : end;
}

// Whether a normal form leaves the scalar unchanged and never looks back across its beginning.
static int begins_itself(const UNormalizer2 *form, UChar32 scalar, UErrorCode *error) {
    if (!unorm2_hasBoundaryBefore(form, scalar)) return 0;
    UChar text[2];
    int32_t length = 0;
    U16_APPEND_UNSAFE(text, length, scalar);
    return unorm2_isNormalized(form, text, length, error);
}

void cicu_classify(int32_t form, uint32_t first, uint8_t *out, int32_t *status) {
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2 *with = form < 0 ? NULL : normalizer((cicu_form)form, &error);
    for (uint32_t i = 0; i < 256 && U_SUCCESS(error); i++) {
        UChar32 scalar = (UChar32)(first + i);
        int32_t kind = u_getIntPropertyValue(scalar, UCHAR_GRAPHEME_CLUSTER_BREAK);
        int separates = kind == U_GCB_OTHER || kind == U_GCB_CONTROL || kind == U_GCB_LF || kind == U_GCB_LV ||
                        kind == U_GCB_LVT;
        int plain = separates && !u_hasBinaryProperty(scalar, UCHAR_EXTENDED_PICTOGRAPHIC) &&
                    (with == NULL || begins_itself(with, scalar, &error));
        out[i] = (plain ? CICU_PLAIN : 0) | (u_isUWhiteSpace(scalar) ? CICU_WHITE_SPACE : 0);
    }
    *status = code(error);
}
