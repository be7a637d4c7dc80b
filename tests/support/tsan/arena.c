/*
 * Only in VARIANT=tsan. Criterion shares memory with its test processes at an address it draws with
 * rand_r() anywhere in 0x2000'0000'0000 .. 0x6000'0000'0000, in steps of 16 MiB; ThreadSanitizer
 * refuses mappings outside its few ranges. This rand_r takes the place of libc's for the program
 * and draws from the range both accept, 0x5500'0000'0000 .. 0x5680'0000'0000.
 * Owns nothing; nothing of the project may use rand_r.
 */
int rand_r(unsigned *seed);

int rand_r(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return (int)(0x350000u + (*seed >> 8) % 0x17000u);
}
