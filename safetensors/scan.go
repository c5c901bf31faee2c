package safetensors

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads the part of JSON that a header is made of: objects, arrays,
// strings and natural numbers. encoding/json would not do: it takes the last of
// two equal keys, ignores the case of field names and repairs invalid UTF-8, so
// that two programs may read two different models from one file.
type scanner struct {
	text []byte // valid UTF-8
	at   int
	most int64 // that a number may be
}

func (s *scanner) fail(format string, args ...any) error {
	return fmt.Errorf("%w: byte %d: %s", ErrFormat, lengthSize+s.at, fmt.Sprintf(format, args...))
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(c byte) error {
	if s.peek() != c {
		return s.fail("want %q", c)
	}
	s.at++
	return nil
}

// object calls member with each key, the scanner standing on its value. No key
// may appear twice, however it is escaped.
func (s *scanner) object(member func(key string) error) error {
	seen := map[string]bool{}
	return s.list('{', '}', func() error {
		key, err := s.string()
		if err != nil {
			return err
		}
		if len(key) > MaxName {
			return s.fail("key of more than %d bytes", MaxName)
		}
		if seen[key] {
			return s.fail("key %q appears twice", key)
		}
		seen[key] = true
		if err := s.take(':'); err != nil {
			return err
		}
		return member(key)
	})
}

// list reads what stands between first and last, separated by commas.
func (s *scanner) list(first, last byte, element func() error) error {
	if err := s.take(first); err != nil {
		return err
	}
	if s.peek() == last {
		s.at++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.at++
		case last:
			s.at++
			return nil
		default:
			return s.fail("want ',' or %q", last)
		}
	}
}

// integer reads a natural number of at most s.most, which bounds every
// dimension and offset: no sign, fraction, exponent or leading zero.
func (s *scanner) integer() (int64, error) {
	first := s.peek()
	start, n := s.at, int64(0)
	for ; s.at < len(s.text) && s.text[s.at]-'0' <= 9; s.at++ {
		if n = 10*n + int64(s.text[s.at]-'0'); n > s.most {
			return 0, s.fail("number above %d", s.most)
		}
	}
	if s.at == start || first == '0' && s.at > start+1 {
		return 0, s.fail("want an integer without sign or leading zero")
	}
	return n, nil // the caller refuses what follows unless it is a comma or bracket
}

// string reads a JSON string and resolves its escapes.
func (s *scanner) string() (string, error) {
	if err := s.take('"'); err != nil {
		return "", err
	}
	start := s.at
	var resolved []byte // nil until the first escape
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			tail := s.text[start:s.at]
			s.at++
			return string(append(resolved, tail...)), nil
		case c < ' ':
			return "", s.fail("control character in a string")
		case c == '\\':
			resolved = append(resolved, s.text[start:s.at]...)
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			resolved = utf8.AppendRune(resolved, r)
			start = s.at + 1
		}
	}
	return "", s.fail("string without an end")
}

// escape reads the escape the scanner stands on and leaves it on its last byte.
func (s *scanner) escape() (rune, error) {
	s.at++
	if s.at == len(s.text) {
		return 0, s.fail("string without an end")
	}
	switch c := s.text[s.at]; c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, err := s.hex()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if string(s.text[s.at+1:min(s.at+3, len(s.text))]) == `\u` {
			s.at += 2
			low, err := s.hex()
			if err != nil {
				return 0, err
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				return r, nil
			}
		}
		return 0, s.fail("half a surrogate pair")
	default:
		return 0, s.fail("unknown escape")
	}
}

// hex reads the four digits after the 'u' the scanner stands on.
func (s *scanner) hex() (rune, error) {
	var r rune
	for range 4 {
		s.at++
		if s.at == len(s.text) {
			return 0, s.fail("string without an end")
		}
		switch c := s.text[s.at]; {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, s.fail("want four hexadecimal digits")
		}
	}
	return r, nil
}
