package record

import (
	"encoding/binary"
	"hash/crc32"
)

// The MCAP file format (https://mcap.dev/spec): magic, records, magic. A record
// is an operation code, the length of its content as 8 bytes, and the content;
// numbers are little-endian, texts have 4 bytes of length before them.
const mcapMagic = "\x89MCAP0\r\n"

// Operation codes of the records that are written or read here.
const (
	opHeader        = 0x01
	opFooter        = 0x02
	opSchema        = 0x03
	opChannel       = 0x04
	opMessage       = 0x05
	opChunk         = 0x06
	opMessageIndex  = 0x07
	opChunkIndex    = 0x08
	opStatistics    = 0x0b
	opMetadata      = 0x0c
	opMetadataIndex = 0x0d
	opSummaryOffset = 0x0e
	opDataEnd       = 0x0f
)

// recordHead is the operation code and the length before a record's content.
const recordHead = 9

var order = binary.LittleEndian

// begin appends the head of a record whose length end fills in.
func begin(b []byte, op byte) (out []byte, start int) {
	return append(b, op, 0, 0, 0, 0, 0, 0, 0, 0), len(b)
}

// end completes the record that begins at start.
func end(b []byte, start int) []byte {
	order.PutUint64(b[start+1:], uint64(len(b)-start-recordHead))
	return b
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(order.AppendUint32(b, uint32(len(s))), s...)
}

// appendPairs appends a map of texts, given as key, value, key, value.
func appendPairs(b []byte, pairs []string) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, s := range pairs {
		b = appendText(b, s)
	}
	order.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

func appendHeader(b []byte, library string) []byte {
	b, start := begin(append(b, mcapMagic...), opHeader)
	b = appendText(b, "") // no profile
	return end(appendText(b, library), start)
}

func appendMetadata(b []byte, name string, pairs []string) []byte {
	b, start := begin(b, opMetadata)
	return end(appendPairs(appendText(b, name), pairs), start)
}

// appendMetadataIndex appends the summary's entry for the metadata record of that
// name, which takes length bytes from start on.
func appendMetadataIndex(b []byte, name string, start, length int64) []byte {
	b, at := begin(b, opMetadataIndex)
	b = order.AppendUint64(order.AppendUint64(b, uint64(start)), uint64(length))
	return end(appendText(b, name), at)
}

// schema describes the messages of a channel as a JSON Schema.
type schema struct {
	id   uint16
	name string
	text string
}

func appendSchema(b []byte, s schema) []byte {
	b, start := begin(b, opSchema)
	b = order.AppendUint16(b, s.id)
	b = appendText(appendText(b, s.name), "jsonschema")
	return end(appendText(b, s.text), start)
}

// channel is one stream of messages of a segment.
type channel struct {
	id     uint16
	schema uint16
	topic  string
	pairs  []string
}

func appendChannel(b []byte, c channel) []byte {
	b, start := begin(b, opChannel)
	b = order.AppendUint16(order.AppendUint16(b, c.id), c.schema)
	b = appendText(appendText(b, c.topic), "json")
	return end(appendPairs(b, c.pairs), start)
}

// messageHead is the size of what appendMessage puts before the data.
const messageHead = recordHead + 2 + 4 + 8 + 8

// beginMessage appends a message up to its data. Both its times are the wall's,
// in Unix nanoseconds; the monotonic one is in the data.
func beginMessage(b []byte, channel uint16, seq uint32, wall int64) (out []byte, start int) {
	b, start = begin(b, opMessage)
	b = order.AppendUint32(order.AppendUint16(b, channel), seq)
	return order.AppendUint64(order.AppendUint64(b, uint64(wall)), uint64(wall)), start
}

func appendDataEnd(b []byte) []byte {
	b, start := begin(b, opDataEnd)
	return end(order.AppendUint32(b, 0), start) // every chunk has a CRC of its own
}

// appendFooter ends a file whose summary, the end of b, begins at summary in b;
// base is the file's offset of b[0], offsets that of the summary offsets.
func appendFooter(b []byte, summary int, base, offsets int64) []byte {
	b, start := begin(b, opFooter)
	order.PutUint64(b[start+1:], 8+8+4)
	b = order.AppendUint64(b, uint64(base+int64(summary)))
	b = order.AppendUint64(b, uint64(offsets))
	b = order.AppendUint32(b, crc32.ChecksumIEEE(b[summary:]))
	return append(b, mcapMagic...)
}

func appendSummaryOffset(b []byte, op byte, start, length int64) []byte {
	b, at := begin(b, opSummaryOffset)
	b = append(b, op)
	return end(order.AppendUint64(order.AppendUint64(b, uint64(start)), uint64(length)), at)
}
