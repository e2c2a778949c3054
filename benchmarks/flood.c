/* Writes lines of 100 bytes, one write() each: flood FILE SECONDS LINES_PER_SECOND (0: as fast as it can). */
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
    line[99] = '\n';
    long count = 0;
    for (;;) {
        double passed = now() - begun;
        if (passed >= seconds) break;
        long due = rate > 0 ? (long)(passed * rate) - count : 1000;
        for (long n = 0; n < due; n++, count++)
            if (write(fd, line, sizeof line) != sizeof line) return 1;
        if (rate > 0) {
            struct timespec pause = {0, 200000};
            nanosleep(&pause, NULL);
        }
    }
    printf("%ld %f\n", count, now() - begun);
    return 0;
}
