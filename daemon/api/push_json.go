package api

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// DecodeJSON reads a push such as
//
//	{"age_s":0,"ttl_s":60,"id":"q1",
//	 "regions":{"text":[[0.1,0.2],[0.3,0.4]]},
//	 "samples":[{"channel":"light1","value":3.2,"time":"2026-01-02T15:04:05Z"}]}
//
// in which every key may be left out. What is wrong is named by its place, rows
// and features counting from 0. encoding/json would not do: it takes null for a
// number, ignores the case of keys and keeps the last of two equal ones.
func DecodeJSON(body []byte) (*Push, error) {
	p, err := readJSON(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return p, nil
}

func readJSON(body []byte) (*Push, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	s := &scanner{text: body}
	p := &Push{}
	err := s.object(func(key string) error {
		switch key {
		case "age_s":
			return in(key, s.seconds(&p.Age))
		case "ttl_s":
			return in(key, s.seconds(&p.TTL))
		case "id":
			id, err := s.string()
			if err == nil {
				err = p.setID(id)
			}
			return in(key, err)
		case "regions":
			return in(key, s.regions(p))
		case "samples":
			return in(key, s.samples(p))
		}
		return unknownKey(key, "age_s, ttl_s, id, regions, samples")
	})
	if err != nil {
		return nil, err
	}
	if s.peek(); s.at < len(body) {
		return nil, s.fail("something follows the object")
	}
	return p, nil
}

func unknownKey(key, known string) error {
	return fmt.Errorf("unknown key %.64q (known: %s)", key, known)
}

// in says where err happened.
func in(place string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", place, err)
}

func (s *scanner) seconds(dst *time.Duration) error {
	v, err := s.number(64)
	if err == nil {
		*dst, err = seconds(v)
	}
	return err
}

func (s *scanner) regions(p *Push) error {
	return s.object(func(modality string) error {
		r, err := p.add(modality)
		if err == nil {
			err = s.rows(r)
		}
		return in(fmt.Sprintf("modality %.64q", modality), err)
	})
}

func (s *scanner) rows(r *Regions) error {
	return s.array(func(row int) error {
		if row == maxRows {
			return fmt.Errorf("more than %d rows", maxRows)
		}
		n := len(r.Data)
		err := s.array(func(feature int) error {
			v, err := s.number(32)
			if err != nil {
				return fmt.Errorf("feature %d: %w", feature, err)
			}
			r.Data = append(r.Data, float32(v))
			return nil
		})
		n = len(r.Data) - n
		if row == 0 {
			r.Features = n
		}
		if err == nil && (n == 0 || n != r.Features) {
			err = fmt.Errorf("%d features, want %d", n, max(r.Features, 1))
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		r.Rows++
		return nil
	})
}

func (s *scanner) samples(p *Push) error {
	return s.array(func(i int) error {
		if i == maxSamples {
			return fmt.Errorf("more than %d samples", maxSamples)
		}
		sample, err := s.sample()
		p.Samples = append(p.Samples, sample)
		return in(fmt.Sprintf("sample %d", i), err)
	})
}

func (s *scanner) sample() (Sample, error) {
	var sample Sample
	valued := false
	err := s.object(func(key string) (err error) {
		switch key {
		case "channel":
			sample.Channel, err = s.string()
		case "value":
			sample.Value, err = s.number(64)
			valued = true
		case "time":
			var text string
			if text, err = s.string(); err == nil {
				sample.Time, err = parseTime(text)
			}
		default:
			return unknownKey(key, "channel, value, time")
		}
		return in(key, err)
	})
	if err == nil && (sample.Channel == "" || !valued) {
		err = errors.New("needs a channel and a value")
	}
	return sample, err
}

// parseTime reads a time in UTC, or with its offset, as RFC 3339 writes it.
func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.IsZero() {
		return time.Time{}, fmt.Errorf("%.40q is no time such as 2026-01-02T15:04:05Z", text)
	}
	return t, nil
}
