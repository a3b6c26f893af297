// Packing of floats. Included once for each level, after vector.h.

// Rows of 16 floats, several panels at a time so that the source is read in long pieces; columns beyond the last are
// zero. If requested, the rows are also summed, and added to the rows of a table given by `ids`.
TARGET static void NAME(pack)(int64_t rows, int64_t columns, const float *source, int64_t stride, float *packed,
                              int64_t panel, float *sums, const int32_t *ids, float *table, int64_t table_stride) {
    for (int64_t first = 0; first < columns; first += 8 * CK_PANEL) {
        int64_t end = columns - first < 8 * CK_PANEL ? columns - first : 8 * CK_PANEL;
        for (int64_t k = 0; k < rows; k++) {
            const float *row = source + k * stride + first;
            float *entry = ids ? table + ids[k] * table_stride + first : 0;
            for (int64_t j = 0; j < end; j += WIDTH) {
                if (k + 8 < rows) __builtin_prefetch(row + 8 * stride + j);
                FV x = NAME(load)(row + j, end - j);
                NAME(store)(packed + (first + j) / CK_PANEL * panel + k * CK_PANEL + j % CK_PANEL, x, WIDTH);
                if (sums) NAME(store)(sums + first + j, NAME(load)(sums + first + j, end - j) + x, end - j);
                if (entry) NAME(store)(entry + j, NAME(load)(entry + j, end - j) + x, end - j);
            }
            if (WIDTH < CK_PANEL && (end - 1) % CK_PANEL < WIDTH)
                NAME(store)(packed + (first + end - 1) / CK_PANEL * panel + k * CK_PANEL + WIDTH % CK_PANEL,
                            NAME(splat)(0.0f), WIDTH);
        }
    }
}
