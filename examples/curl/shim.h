/* Functions beside libcurl's own, for options that belong together. */
#include <curl/curl.h>

/* Performs the transfer, with a buffer for the message of a failure that libcurl forgets afterwards. */
static inline CURLcode shim_perform(CURL *easy, char *message) {
    CURLcode status;

    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message);
    status = curl_easy_perform(easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    return status;
}

/* Copies the body of a POST request, of which libcurl reads the size before it copies. */
static inline CURLcode shim_set_body(CURL *easy, const void *body, curl_off_t size) {
    CURLcode status = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);

    return status ? status : curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
}
