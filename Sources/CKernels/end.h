// Ends what level.h or vector.h began.
#undef FV
#undef IV
#undef INLINE
#undef TARGET
#undef NAME
#undef WIDTH
#undef BFLOAT16
#undef NO_FMA
