// The smallest program that does for a run what remoteexe does: the peer of the benchmark of a start.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void append(int log, const char *text) {
    char record[4096], stamp[32];
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%F %T", &tm);
    int length = snprintf(record, sizeof record, "[%s][%d] %s\n", stamp, getpid(), text);
    if (write(log, record, length) != length) exit(74);
}

int main(int count, char **words) {
    char path[4096], text[2048], day[16];
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(day, sizeof day, "%Y%m%d", &tm);
    snprintf(path, sizeof path, "%s/%s_remoteexe.log", getenv("REMOTEEXE_LOG_DIR"), day);
    int log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (count < 3 || log < 0) return 74;
    snprintf(text, sizeof text, "START,-,%s %s", words[1], words[2]);
    append(log, text);
    snprintf(text, sizeof text, "command,ssh root@%s %s", words[1], words[2]);
    append(log, text);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return 74;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    char login[256];
    snprintf(login, sizeof login, "root@%s", words[1]);
    char *ssh[] = {"ssh", login, words[2], NULL};
    pid_t child;
    if (posix_spawnp(&child, "ssh", &actions, NULL, ssh, environ)) return 127;
    close(ends[1]);
    struct pollfd input = {ends[0], POLLIN, 0};
    ssize_t length;
    do {
        poll(&input, 1, -1);
        length = read(ends[0], text, sizeof text - 1);
    } while (length > 0);
    int status;
    waitpid(child, &status, 0);
    snprintf(text, sizeof text, "END,%d,%s %s", WEXITSTATUS(status), words[1], words[2]);
    append(log, text);
    return WEXITSTATUS(status);
}
