// Writes Thrift with Apache's library for Node: a line of standard input is a call of its
// protocol's API.  Each message goes to standard output behind its length, four bytes.
//
//     node write.js binary|compact|json|header-binary|header-compact buffered|framed
"use strict";

const thrift = require("thrift");

const [, , dialect, packing] = process.argv;
const hex = (text) => Buffer.from(text || "", "hex");
const blobs = [];

function keep(bytes) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  blobs.push(length, bytes);
}

function open() {
  const Transport = packing === "framed" ? thrift.TFramedTransport : thrift.TBufferedTransport;
  const transport = new Transport(null, keep);
  if (dialect.startsWith("header")) {
    transport.setProtocolId(dialect === "header-compact" ? 2 : 0);
    return new thrift.THeaderProtocol(transport);
  }
  const Protocol = {
    binary: thrift.TBinaryProtocol,
    compact: thrift.TCompactProtocol,
    json: thrift.TJSONProtocol,
  }[dialect];
  return new Protocol(transport);
}

let out;
const calls = {
  message: (name, type, seqid) => {
    out = open();
    out.writeMessageBegin(hex(name).toString(), +type, +seqid);
  },
  messageEnd: () => {
    out.writeMessageEnd();
    out.flush();
  },
  struct: () => out.writeStructBegin("s"),
  structEnd: () => {
    out.writeFieldStop();
    out.writeStructEnd();
  },
  field: (type, id) => out.writeFieldBegin("f", +type, +id),
  fieldEnd: () => out.writeFieldEnd(),
  list: (type, size) => out.writeListBegin(+type, +size),
  listEnd: () => out.writeListEnd(),
  set: (type, size) => out.writeSetBegin(+type, +size),
  setEnd: () => out.writeSetEnd(),
  map: (key, value, size) => out.writeMapBegin(+key, +value, +size),
  mapEnd: () => out.writeMapEnd(),
  bool: (value) => out.writeBool(value === "1"),
  byte: (value) => out.writeByte(+value),
  i16: (value) => out.writeI16(+value),
  i32: (value) => out.writeI32(+value),
  i64: (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    out.writeI64(new thrift.Int64(bytes));
  },
  double: (bits) => out.writeDouble(hex(bits).readDoubleBE()),
  string: (text) => out.writeString(hex(text).toString()),
  binary: (bytes) => out.writeBinary(hex(bytes)),
  uuid: (text) => out.writeUuid(text),
};

for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
  const [call, ...values] = line.split(" ");
  if (call) calls[call](...values);
}
process.stdout.write(Buffer.concat(blobs));
