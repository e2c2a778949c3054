/* Writes lines of 100 bytes, one write() each: flood FILE SECONDS LINES_PER_SECOND (0: as fast as it can).
   They look like those of a worker, so that whoever packs them has as much to do as in life. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0644);
    double seconds = atof(argv[2]), rate = atof(argv[3]), begun = now();
    char line[100];
    memset(line, 'x', sizeof line);
    const char *text = "2026-11-20T08:00:00.000Z INFO pipeline.download event=download.progress job=00000000 bytes=00000000 ";
    memcpy(line, text, strlen(text) < 99 ? strlen(text) : 99);
    line[99] = '\n';
    char *job = strstr(text, "job=") - text + line + 4, *bytes = strstr(text, "bytes=") - text + line + 6;
    long count = 0;
    unsigned int any = 1;
    for (;;) {
        double passed = now() - begun;
        if (passed >= seconds) break;
        long due = rate > 0 ? (long)(passed * rate) - count : 1000;
        for (long n = 0; n < due; n++, count++) {
            any = any * 1664525u + 1013904223u;
            unsigned int number = count, size = any;
            for (int k = 7; k >= 0; k--, number /= 10, size >>= 4) {
                job[k] = '0' + number % 10;
                bytes[k] = '0' + (size & 15) % 10;
            }
            if (write(fd, line, sizeof line) != sizeof line) return 1;
        }
        if (rate > 0) {
            struct timespec pause = {0, 200000};
            nanosleep(&pause, NULL);
        }
    }
    double passed = now() - begun;
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    printf("%ld %f %f\n", count, passed, used.tv_sec + used.tv_nsec / 1e9);
    return 0;
}
