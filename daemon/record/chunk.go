package record

import (
	"hash/crc32"
	"math"
)

// placed says where in a chunk a message begins, and its time.
type placed struct {
	channel uint16
	wall    uint64
	offset  uint64
}

// chunk is what a chunk record says of the messages inside it.
type chunk struct {
	messages    []placed
	first, last uint64 // wall times
	labels      bool   // some message is a label
}

// look finds the messages in data, the content of a chunk. It reports false when
// data is not a sequence of whole messages.
func (c *chunk) look(data []byte) bool {
	c.messages, c.first, c.last, c.labels = c.messages[:0], math.MaxUint64, 0, false
	for offset := 0; offset < len(data); {
		op, content, next, ok := splitRecord(data, offset)
		if !ok || op != opMessage || len(content) < messageHead-recordHead {
			return false
		}
		m := placed{order.Uint16(content), order.Uint64(content[6:]), uint64(offset)}
		c.messages = append(c.messages, m)
		c.first, c.last = min(c.first, m.wall), max(c.last, m.wall)
		c.labels = c.labels || m.channel == labelChannel
		offset = next
	}
	return len(c.messages) > 0
}

// splitRecord returns the record at an offset of b and where the next one is.
func splitRecord(b []byte, offset int) (op byte, content []byte, next int, ok bool) {
	rest := b[offset:]
	if len(rest) < recordHead {
		return 0, nil, 0, false
	}
	n := order.Uint64(rest[1:])
	if n > uint64(len(rest)-recordHead) {
		return 0, nil, 0, false
	}
	next = offset + recordHead + int(n)
	return rest[0], b[offset+recordHead : next], next, true
}

// appendChunk appends the chunk record around data, uncompressed.
func (c *chunk) appendChunk(b, data []byte) []byte {
	b, start := begin(b, opChunk)
	b = order.AppendUint64(order.AppendUint64(b, c.first), c.last)
	b = order.AppendUint64(b, uint64(len(data)))
	b = order.AppendUint32(b, crc32.ChecksumIEEE(data))
	b = appendText(b, "")
	b = order.AppendUint64(b, uint64(len(data)))
	return end(append(b, data...), start)
}

// appendIndexes appends the message index of every channel in the chunk, and to
// index the chunk's entry in the summary. base is the file's offset of b[0],
// start and length are those of the chunk record in the file.
func (c *chunk) appendIndexes(b, index []byte, ids []uint16, base, start, length, size int64) (out, entry []byte) {
	first := len(b)
	index, at := begin(index, opChunkIndex)
	index = order.AppendUint64(order.AppendUint64(index, c.first), c.last)
	index = order.AppendUint64(order.AppendUint64(index, uint64(start)), uint64(length))
	count := len(index)
	index = append(index, 0, 0, 0, 0)
	for _, id := range ids {
		offset := len(b)
		var any bool
		if b, any = c.appendIndex(b, id); any {
			index = order.AppendUint64(order.AppendUint16(index, id), uint64(base+int64(offset)))
		}
	}
	order.PutUint32(index[count:], uint32(len(index)-count-4))
	index = order.AppendUint64(index, uint64(len(b)-first))
	index = appendText(index, "")
	index = order.AppendUint64(order.AppendUint64(index, uint64(size)), uint64(size))
	return b, end(index, at)
}

// appendIndex appends the message index of one channel, if it has a message.
func (c *chunk) appendIndex(b []byte, id uint16) (out []byte, any bool) {
	b, start := begin(b, opMessageIndex)
	b = order.AppendUint16(b, id)
	count := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, m := range c.messages {
		if m.channel == id {
			b = order.AppendUint64(order.AppendUint64(b, m.wall), m.offset)
		}
	}
	n := len(b) - count - 4
	if n == 0 {
		return b[:start], false
	}
	order.PutUint32(b[count:], uint32(n))
	return end(b, start), true
}
