// Writes Thrift with Apache's library for C++: a line of standard input is a call of its
// protocol's API.  Each message goes to standard output behind its length, four bytes.
//
//     ./write binary|compact|json|header-binary|header-compact buffered|framed|http|zlib

#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/protocol/THeaderProtocol.h>
#include <thrift/protocol/TJSONProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/THttpClient.h>
#include <thrift/transport/TZlibTransport.h>

using namespace apache::thrift::protocol;
using namespace apache::thrift::transport;

static std::string unhex(const std::string& text) {
  std::string bytes;
  for (size_t at = 0; at + 1 < text.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

static std::shared_ptr<TTransport> wrap(const std::string& packing,
                                        const std::shared_ptr<TMemoryBuffer>& memory) {
  if (packing == "framed") return std::make_shared<TFramedTransport>(memory);
  if (packing == "http") return std::make_shared<THttpClient>(memory, "localhost", "/thrift");
  if (packing == "zlib") return std::make_shared<TZlibTransport>(memory);
  return memory;
}

static std::shared_ptr<TProtocol> speak(const std::string& dialect,
                                        const std::shared_ptr<TTransport>& transport) {
  if (dialect == "binary") return std::make_shared<TBinaryProtocol>(transport);
  if (dialect == "compact") return std::make_shared<TCompactProtocol>(transport);
  if (dialect == "json") return std::make_shared<TJSONProtocol>(transport);
  const uint16_t inside = dialect == "header-compact" ? T_COMPACT_PROTOCOL : T_BINARY_PROTOCOL;
  return std::make_shared<THeaderProtocol>(transport, transport, inside);
}

static void keep(const std::shared_ptr<TMemoryBuffer>& memory) {
  const std::string bytes = memory->getBufferAsString();
  for (int shift = 24; shift >= 0; shift -= 8) std::cout.put(static_cast<char>(bytes.size() >> shift));
  std::cout << bytes;
  memory->resetBuffer();
}

int main(int count, char** words) {
  if (count != 3) return 2;
  auto memory = std::make_shared<TMemoryBuffer>();
  auto transport = wrap(words[2], memory);
  auto out = speak(words[1], transport);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream parts(line);
    std::string call, text;
    long long a = 0, b = 0, c = 0;
    parts >> call;
    if (call == "message") {
      std::getline(parts >> std::ws, text, ' ');
      parts >> a >> b;
      out->writeMessageBegin(unhex(text), static_cast<TMessageType>(a), static_cast<int32_t>(b));
    } else if (call == "messageEnd") {
      out->writeMessageEnd();
      out->getTransport()->writeEnd();
      out->getTransport()->flush();
      keep(memory);
    } else if (call == "struct") {
      out->writeStructBegin("s");
    } else if (call == "structEnd") {
      out->writeFieldStop();
      out->writeStructEnd();
    } else if (call == "field") {
      parts >> a >> b;
      out->writeFieldBegin("f", static_cast<TType>(a), static_cast<int16_t>(b));
    } else if (call == "fieldEnd") {
      out->writeFieldEnd();
    } else if (call == "list" || call == "set") {
      parts >> a >> b;
      const auto type = static_cast<TType>(a);
      const auto size = static_cast<uint32_t>(b);
      call == "list" ? out->writeListBegin(type, size) : out->writeSetBegin(type, size);
    } else if (call == "listEnd") {
      out->writeListEnd();
    } else if (call == "setEnd") {
      out->writeSetEnd();
    } else if (call == "map") {
      parts >> a >> b >> c;
      out->writeMapBegin(static_cast<TType>(a), static_cast<TType>(b), static_cast<uint32_t>(c));
    } else if (call == "mapEnd") {
      out->writeMapEnd();
    } else if (call == "double") {
      parts >> text;
      const uint64_t bits = std::stoull(text, nullptr, 16);
      double value;
      std::memcpy(&value, &bits, sizeof value);
      out->writeDouble(value);
    } else if (call == "string" || call == "binary") {
      parts >> text;
      call == "string" ? out->writeString(unhex(text)) : out->writeBinary(unhex(text));
    } else {
      parts >> a;
      if (call == "bool") out->writeBool(a != 0);
      else if (call == "byte") out->writeByte(static_cast<int8_t>(a));
      else if (call == "i16") out->writeI16(static_cast<int16_t>(a));
      else if (call == "i32") out->writeI32(static_cast<int32_t>(a));
      else if (call == "i64") out->writeI64(static_cast<int64_t>(a));
      else return 2;
    }
  }
}
