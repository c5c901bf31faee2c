package record

import "slices"

// contents is what the end of a segment says of the rest of it.
type contents struct {
	schemas, channels []byte // their records, as before the chunks
	schemaCount       int
	metadata          []byte   // the index record of the metadata
	ids               []uint16 // of the channels, in the order of their records
	counts            []uint64 // of messages, by the same order
	index             []byte   // the chunk index records
	chunks            int
	messages          uint64
	first, last       uint64 // wall times
	labels            bool   // a label is among the messages
}

func (c *contents) addChannel(id uint16) {
	c.ids, c.counts = append(c.ids, id), append(c.counts, 0)
}

// add counts the messages of a chunk.
func (c *contents) add(k *chunk) {
	if c.chunks == 0 {
		c.first, c.last = k.first, k.last
	}
	c.chunks++
	c.first, c.last = min(c.first, k.first), max(c.last, k.last)
	c.labels = c.labels || k.labels
	c.messages += uint64(len(k.messages))
	for _, m := range k.messages {
		if i := slices.Index(c.ids, m.channel); i >= 0 {
			c.counts[i]++
		}
	}
}

// appendEnding appends everything after the last chunk: the mark of the data's
// end, the summary, its table and the footer. base is the file's offset of b[0].
func (c *contents) appendEnding(b []byte, base int64) []byte {
	b = appendDataEnd(b)
	summary := len(b)
	groups := []struct {
		op      byte
		records []byte
	}{{opSchema, c.schemas}, {opChannel, c.channels}, {opStatistics, c.statistics()}, {opChunkIndex, c.index}, {opMetadataIndex, c.metadata}}
	var table []byte
	for _, g := range groups {
		if len(g.records) > 0 {
			table = appendSummaryOffset(table, g.op, base+int64(len(b)), int64(len(g.records)))
			b = append(b, g.records...)
		}
	}
	offsets := base + int64(len(b))
	return appendFooter(append(b, table...), summary, base, offsets)
}

func (c *contents) statistics() []byte {
	b, start := begin(nil, opStatistics)
	b = order.AppendUint64(b, c.messages)
	b = order.AppendUint16(b, uint16(c.schemaCount))
	b = order.AppendUint32(b, uint32(len(c.ids)))
	b = order.AppendUint32(b, 0) // attachments
	b = order.AppendUint32(b, 1) // metadata records
	b = order.AppendUint32(b, uint32(c.chunks))
	b = order.AppendUint64(order.AppendUint64(b, c.first), c.last)
	b = order.AppendUint32(b, uint32(len(c.ids)*(2+8)))
	for i, id := range c.ids {
		b = order.AppendUint64(order.AppendUint16(b, id), c.counts[i])
	}
	return end(b, start)
}
