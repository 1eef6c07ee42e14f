/* A filter of HDF5 that crashes over chunks which begin with the byte 0xee, as decoders do over damaged ones. */
#include <H5PLextern.h>
#include <signal.h>

static size_t decode(unsigned flags, size_t count, const unsigned values[], size_t bytes, size_t* size, void** buffer) {
  (void)count, (void)values, (void)size;
  if ((flags & H5Z_FLAG_REVERSE) && *(const unsigned char*)*buffer == 0xee) raise(SIGSEGV);
  return bytes;
}

static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 32112, 1, 1, "crashing", NULL, NULL, decode};

__attribute__((visibility("default"))) H5PL_type_t H5PLget_plugin_type(void) { return H5PL_TYPE_FILTER; }
__attribute__((visibility("default"))) const void* H5PLget_plugin_info(void) { return &filter; }
