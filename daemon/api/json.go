package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// scanner reads JSON piece by piece, allocating nothing per number.
type scanner struct {
	text []byte // valid UTF-8
	at   int
}

var errEnds = errors.New("the body ends too early")

func (s *scanner) fail(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", s.at, fmt.Sprintf(format, args...))
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

// object calls member with every key, the scanner standing on its value. No key
// may appear twice, however it is escaped.
func (s *scanner) object(member func(key string) error) error {
	if s.peek() != '{' {
		return s.unwanted("an object")
	}
	seen := map[string]bool{}
	return s.list('}', func(int) error {
		key, err := s.string()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("key %.64q appears twice", key)
		}
		seen[key] = true
		if s.peek() != ':' {
			return s.unwanted("':'")
		}
		s.at++
		return member(key)
	})
}

// array calls element for every element, the scanner standing on it.
func (s *scanner) array(element func(i int) error) error {
	if s.peek() != '[' {
		return s.unwanted("an array")
	}
	return s.list(']', element)
}

// list reads what is separated by commas, from the bracket it stands on to the
// closing one.
func (s *scanner) list(closing byte, element func(i int) error) error {
	s.at++
	if s.peek() == closing {
		s.at++
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.at++
		case closing:
			s.at++
			return nil
		default:
			return s.unwanted(fmt.Sprintf("',' or %q", closing))
		}
	}
}

func (s *scanner) string() (string, error) {
	if s.peek() != '"' {
		return "", s.unwanted("a string")
	}
	start := s.at
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			var v string
			if err := json.Unmarshal(s.text[start:s.at], &v); err != nil {
				return "", s.fail("%v", err)
			}
			return v, nil
		}
	}
	return "", errEnds
}

// number reads a number that is finite in a float of so many bits.
func (s *scanner) number(bits int) (float64, error) {
	if c := s.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, s.unwanted("a number")
	}
	start := s.at
	for s.at < len(s.text) && strings.IndexByte("+-.0123456789Ee", s.text[s.at]) >= 0 {
		s.at++
	}
	digits := s.text[start:s.at]
	if !json.Valid(digits) {
		return 0, s.fail("%.32q is no number", digits)
	}
	v, err := strconv.ParseFloat(string(digits), bits)
	if err != nil {
		return 0, fmt.Errorf("%.32s is not finite in float%d", digits, bits)
	}
	return v, nil
}

// unwanted says what stands where something else should.
func (s *scanner) unwanted(want string) error {
	c := s.peek()
	if s.at >= len(s.text) {
		return errEnds
	}
	kinds := map[byte]string{
		'{': "an object", '[': "an array", '"': "a string", 't': "a boolean", 'f': "a boolean", 'n': "null", '-': "a number",
	}
	have, ok := kinds[c]
	switch {
	case c >= '0' && c <= '9':
		have = "a number"
	case !ok:
		return s.fail("want %s, have %q", want, c)
	}
	return fmt.Errorf("want %s, have %s", want, have)
}
