package sensor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxJPEG bounds a picture of a stream; a larger one is a failure and is skipped.
const maxJPEG = 4 << 20

// Markers of JPEG (ITU-T T.81, table B.1) that matter for where a picture ends.
const (
	markerStart = 0xd8
	markerEnd   = 0xd9
	markerScan  = 0xda
)

// jpegStream finds the pictures in a stream of JPEGs. What lies between them, as
// the headers of a multipart answer, is skipped.
type jpegStream struct {
	in    *bufio.Reader
	frame []byte
	// begun says that the start of a picture has been read already, half that the
	// first byte of a marker has.
	begun, half bool
}

func newJPEGStream(from io.Reader) *jpegStream {
	return &jpegStream{in: bufio.NewReaderSize(from, 64<<10)}
}

// errCorrupt is what next returns for a picture it gave up; the next may be good.
var errCorrupt = errors.New("corrupt JPEG")

// next returns the next picture, which is valid until the call after. It walks
// from marker to marker, since a picture may hold another, its thumbnail.
func (s *jpegStream) next() ([]byte, error) {
	s.half = false
	if err := s.start(); err != nil {
		return nil, err
	}
	s.frame = append(s.frame[:0], 0xff, markerStart)
	for {
		marker, err := s.marker()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == markerEnd:
			return s.frame, nil
		case marker == markerStart:
			s.begun = true
			return nil, fmt.Errorf("%w: a picture begins within another", errCorrupt)
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd7:
			continue // these stand alone
		}
		if err := s.segment(); err != nil {
			return nil, err
		}
		if marker == markerScan {
			if err := s.scan(); err != nil {
				return nil, err
			}
		}
	}
}

// start reads up to and with the start of a picture.
func (s *jpegStream) start() error {
	if s.begun {
		s.begun = false
		return nil
	}
	for last := byte(0); ; {
		b, err := s.in.ReadByte()
		if err != nil || last == 0xff && b == markerStart {
			return err
		}
		last = b
	}
}

// marker reads one, which may have fill bytes before it.
func (s *jpegStream) marker() (byte, error) {
	b, err := byte(0xff), error(nil)
	if !s.half {
		b, err = s.in.ReadByte()
	}
	s.half = false
	if err == nil && b != 0xff {
		return 0, fmt.Errorf("%w: %#02x where a marker belongs", errCorrupt, b)
	}
	for err == nil && b == 0xff {
		b, err = s.in.ReadByte()
	}
	s.frame = append(s.frame, 0xff, b)
	return b, err
}

// segment reads what belongs to a marker, its length first.
func (s *jpegStream) segment() error {
	high, err := s.in.ReadByte()
	if err != nil {
		return err
	}
	low, err := s.in.ReadByte()
	if err != nil {
		return err
	}
	length := int(high)<<8 | int(low)
	if length < 2 {
		return fmt.Errorf("%w: a segment of %d bytes", errCorrupt, length)
	}
	s.frame = append(s.frame, high, low)
	begin := len(s.frame)
	if err := s.room(length - 2); err != nil {
		return err
	}
	s.frame = append(s.frame, make([]byte, length-2)...)
	_, err = io.ReadFull(s.in, s.frame[begin:])
	return err
}

// scan reads the picture's data up to the marker that ends it.
func (s *jpegStream) scan() error {
	for {
		data, err := s.in.ReadSlice(0xff)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if full := s.room(len(data)); full != nil {
			return full
		}
		s.frame = append(s.frame, data...)
		if err != nil {
			continue
		}
		next, err := s.in.Peek(1)
		if err != nil {
			return err
		}
		switch b := next[0]; {
		case b == 0 || b >= 0xd0 && b <= 0xd7: // a byte of data, or a restart
		case b == 0xff: // fill
			s.frame = s.frame[:len(s.frame)-1]
		default:
			s.frame, s.half = s.frame[:len(s.frame)-1], true
			return nil
		}
	}
}

func (s *jpegStream) room(more int) error {
	if len(s.frame)+more > maxJPEG {
		return fmt.Errorf("%w: more than %d bytes", errCorrupt, maxJPEG)
	}
	return nil
}
