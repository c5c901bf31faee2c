package record

import (
	"context"
	"hash/crc32"
)

// between takes in the channels of a segment and calls chunk with the content of every
// chunk that has something between two wall times. It goes past the others.
func (s *scan) between(ctx context.Context, in *scanner, from, to uint64, chunk func(content []byte) error) error {
	for ctx.Err() == nil {
		op, first, last, more, err := in.peek()
		if err != nil || !more || op == opDataEnd {
			return err
		}
		if op != opChannel && (op != opChunk || last < from || first > to) {
			in.skip()
			continue
		}
		_, content, _, _, err := in.next()
		switch {
		case err != nil:
		case op == opChannel:
			err = s.addChannelRecord(content)
		default:
			err = chunk(content)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// eachMessage calls each with the messages of a chunk that lie between two wall times. A
// damaged chunk has none.
func eachMessage(content []byte, from, to uint64, each func(channel uint16, seq uint32, wall uint64, data []byte) error) error {
	data, crc, compression, ok := chunkData(content)
	if !ok || compression != "" || crc != 0 && crc32.ChecksumIEEE(data) != crc {
		return nil
	}
	for offset := 0; offset < len(data); {
		op, m, next, ok := splitRecord(data, offset)
		if !ok || op != opMessage || len(m) < messageHead-recordHead {
			return nil
		}
		offset = next
		wall := order.Uint64(m[6:])
		if wall < from || wall > to {
			continue
		}
		if err := each(order.Uint16(m), order.Uint32(m[2:]), wall, m[messageHead-recordHead:]); err != nil {
			return err
		}
	}
	return nil
}
