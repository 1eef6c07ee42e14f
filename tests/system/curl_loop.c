/* How fast libcurl alone gets so many URLs: `curl_loop CONNECTIONS < list of URLs`, with its multi interface in one thread, bodies
 * dropped into one buffer. Prints files a second. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char buffer[1 << 20];
static size_t take(char* data, size_t size, size_t count, void* self) {
  (void)self;
  if (size * count <= sizeof buffer) memcpy(buffer, data, size * count);
  return size * count;
}

int main(int argc, char** argv) {
  const int connections = argc > 1 ? atoi(argv[1]) : 16;
  char **urls = NULL, *line = NULL;
  size_t size = 0;
  long count = 0, room = 0, next = 0, done = 0;
  struct timespec begin, end;
  while (getline(&line, &size, stdin) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (count == room) urls = realloc(urls, (size_t)(room = 2 * room + 1024) * sizeof *urls);
    urls[count++] = strdup(line);
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (; next < connections && next < count; ++next) {
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, urls[next]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_multi_add_handle(multi, easy);
  }
  while (done < count) {
    int running = 0, left = 0;
    CURLMsg* message;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return 1;
    while ((message = curl_multi_info_read(multi, &left))) {
      CURL* easy = message->easy_handle;
      long status = 0;
      if (message->msg != CURLMSG_DONE) continue;
      if (message->data.result != CURLE_OK) return 1;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      if (status != 200) return 1;
      ++done;
      curl_multi_remove_handle(multi, easy);
      if (next == count) continue;
      curl_easy_setopt(easy, CURLOPT_URL, urls[next++]);
      curl_multi_add_handle(multi, easy);
      running = 1;
    }
    if (done < count) curl_multi_poll(multi, NULL, 0, 100, NULL);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.0f\n", (double)count / ((double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec)));
  return 0;
}
