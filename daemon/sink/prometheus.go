package sink

import (
	"errors"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ragedge/ragedge/result"
)

// prometheus writes the newest Result to a file in Prometheus' text format, for the
// textfile collector of node_exporter. The file is replaced as a whole, at most once
// in every, and removed when the sink is closed: nobody should take the last answer
// of a daemon that was stopped for one of now.
type prometheus struct {
	files   FileSystem
	path    string
	every   time.Duration
	written time.Time // when the file was written; zero: not yet
	buffer  []byte
}

// checkPrometheus adds what is wrong with the keys of type prometheus.
func (c *Config) checkPrometheus(add func(key string, err error)) {
	if !strings.HasSuffix(c.Path, ".prom") {
		add("path", errors.New("required: a file whose name ends in .prom, in the directory that node_exporter's --collector.textfile.directory names"))
	}
	if c.Interval < 0 {
		add("interval", errors.New("want a duration of more than 0"))
	}
}

// Write replaces the file, or leaves it as it is when that has just been done.
func (s *prometheus) Write(r *result.Result) error {
	if !s.written.IsZero() && time.Since(s.written) < s.every {
		return nil
	}
	s.buffer = appendExposition(s.buffer[:0], r)
	if err := s.files.Replace(s.path, s.buffer); err != nil {
		return err
	}
	s.written = time.Now()
	return nil
}

func (s *prometheus) Close() error {
	if s.written.IsZero() {
		return nil
	}
	s.written = time.Time{}
	if err := s.files.Remove(s.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// appendExposition writes r in the text format. A number that is not known is left
// out; the collector takes no times of its own, so the age is a metric.
func appendExposition(b []byte, r *result.Result) []byte {
	e := exposition{b: b}
	if !r.Time.IsZero() {
		e.family("ragedge_result_timestamp_seconds", "When the newest Result was decided.")
		e.sample("", "", float64(r.Time.UnixMilli())/1000)
	}
	e.family("ragedge_result_seq", "Number of the newest Result of this run.")
	e.sample("", "", float64(r.Seq))
	e.family("ragedge_result_answered", "1 when the newest Result has an answer.")
	e.sample("", "", truth(r.Reason == ""))
	if n := min(len(r.Labels), len(r.Probabilities)); n > 0 {
		e.family("ragedge_label_probability", "Probability of each label.")
		for i, p := range r.Probabilities[:n] {
			e.sample("label", r.Labels[i], float64(p))
		}
	}
	if len(r.Labels) > 0 {
		e.family("ragedge_label_active", "1 for the label that was decided.")
		for _, label := range r.Labels {
			e.sample("label", label, truth(label == r.Label))
		}
	}
	if len(r.Values) > 0 {
		e.family("ragedge_value", "Outputs of a model without labels.")
		for i, v := range r.Values {
			e.sample("index", strconv.Itoa(i), float64(v))
		}
	}
	e.modalities(r.Modalities)
	if len(r.Readings) > 0 {
		e.family("ragedge_reading", "Newest value of each channel.")
		for i := range r.Readings {
			if c := &r.Readings[i]; c.Reason == "" {
				e.sample("channel", c.Channel, c.Value)
			}
		}
		e.family("ragedge_reading_age_seconds", "Its age.")
		for i := range r.Readings {
			if c := &r.Readings[i]; c.Age >= 0 {
				e.sample("channel", c.Channel, c.Age.Seconds())
			}
		}
	}
	return e.b
}

// modalities writes what each modality had to say.
func (e *exposition) modalities(all []result.Modality) {
	if len(all) == 0 {
		return
	}
	each := func(name, help string, value func(m *result.Modality) float64) {
		e.family(name, help)
		for i := range all {
			e.sample("modality", all[i].Name, value(&all[i]))
		}
	}
	each("ragedge_modality_present", "1 when the modality was used, 0 when it was masked.",
		func(m *result.Modality) float64 { return truth(m.Present) })
	each("ragedge_modality_share", "Share of the attention that it got, 0 to 1.",
		func(m *result.Modality) float64 { return float64(m.Share) })
	each("ragedge_modality_age_seconds", "Age of its oldest channel.", func(m *result.Modality) float64 {
		if m.Age < 0 {
			return math.NaN()
		}
		return m.Age.Seconds()
	})
	each("ragedge_modality_answer_effect", "What it changed in the answer, where that was measured.", func(m *result.Modality) float64 {
		if !m.Measured {
			return math.NaN()
		}
		return float64(m.Effect)
	})
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// exposition is a text in Prometheus' format that is being written.
type exposition struct {
	b    []byte
	name string // of the family
}

// family begins the samples of one metric, a gauge.
func (e *exposition) family(name, help string) {
	e.name = name
	e.b = append(append(append(append(e.b, "# HELP "...), name...), ' '), help...)
	e.b = append(append(append(e.b, "\n# TYPE "...), name...), " gauge\n"...)
}

// sample writes one of the family that was begun last.
func (e *exposition) sample(label, value string, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	e.b = append(e.b, e.name...)
	if label != "" {
		e.b = append(append(append(e.b, '{'), label...), `="`...)
		for _, r := range value {
			switch r {
			case '\\', '"':
				e.b = append(e.b, '\\', byte(r))
			case '\n':
				e.b = append(e.b, `\n`...)
			default:
				e.b = utf8.AppendRune(e.b, r)
			}
		}
		e.b = append(e.b, `"}`...)
	}
	e.b = append(strconv.AppendFloat(append(e.b, ' '), v, 'g', -1, 64), '\n')
}
