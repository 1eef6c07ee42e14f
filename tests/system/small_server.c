/* A web server that costs next to nothing: `small_server FILE` answers every GET with that file, over connections that are
 * kept open, in one thread; prints its port. What it is asked for must fit a packet, as clients' short requests do. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
  static char answer[1 << 20], request[1 << 16];
  FILE* file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (!file) return 1;
  static char body[1 << 19];
  const size_t bytes = fread(body, 1, sizeof body, file);
  const int head = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nETag: \"one\"\r\n\r\n", bytes);
  memcpy(answer + head, body, bytes);
  const size_t length = (size_t)head + bytes;

  const int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0), yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 1024) != 0) return 1;
  getsockname(listener, (struct sockaddr*)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    const int count = epoll_wait(poll, ready, 256, -1);
    for (int i = 0; i < count; ++i) {
      int fd = ready[i].data.fd;
      if (fd == listener) {
        fd = accept4(listener, NULL, NULL, 0);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        event.data.fd = fd;
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        continue;
      }
      const ssize_t got = read(fd, request, sizeof request - 1);
      if (got <= 0) {
        close(fd);
        continue;
      }
      request[got] = 0;
      for (char* at = request; (at = strstr(at, "\r\n\r\n")); at += 4)
        for (size_t done = 0; done < length;) {
          const ssize_t written = write(fd, answer + done, length - done);
          if (written <= 0) break;
          done += (size_t)written;
        }
    }
  }
}
