package sink

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/result"
)

func TestCheck(t *testing.T) {
	for _, good := range []Config{{Type: Stdout}, {Type: File, Path: "a.jsonl", Queue: 1}, {Type: Stdout, Queue: 4096}} {
		require.NoError(t, good.Check())
		require.NoError(t, good.WithDefaults().Check())
	}
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, "type: required: one of stdout, file, mqtt, influx, prometheus"},
		{Config{Type: "paper"}, `type: "paper" is not one of: stdout, file, mqtt`},
		{Config{Type: Stdout, Path: "a"}, "path: a key of type file, prometheus, which type stdout does not have"},
		{Config{Type: File}, "path: required"},
		{Config{Type: Stdout, Queue: -1}, "queue: -1 is not in 1 to 4096"},
		{Config{Type: Stdout, Queue: 4097}, "queue: 4097 is not in 1 to 4096"},
	} {
		require.ErrorContains(t, c.config.Check(), c.want)
	}
	require.Equal(t, 64, Config{Type: Stdout}.WithDefaults().Queue)
}

// answer is the Result with a sequence number.
func answer(seq uint64) *result.Result {
	return &result.Result{
		Seq: seq, Time: time.Unix(int64(seq), 0), Quality: "ntp", Label: "2 people",
		Labels: []string{"empty", "2 people"}, Probabilities: []float32{0.25, 0.75},
		Modalities: []result.Modality{{Name: "light", Share: 0.5, Present: true, Rows: 8}},
	}
}

// sequence reads the lines of text: the sequence numbers of whole Results, and 0
// for a line that is none.
func sequence(t *testing.T, text string) (seqs []uint64) {
	text, whole := strings.CutSuffix(text, "\n")
	if !whole && text != "" {
		text += "…" // the last line never ended
	}
	if text == "" {
		return nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		var r struct{ Seq uint64 }
		if json.Unmarshal([]byte(line), &r) != nil {
			r.Seq = 0
		}
		seqs = append(seqs, r.Seq)
	}
	return seqs
}

func TestStdout(t *testing.T) {
	var out bytes.Buffer
	s := New(Config{Type: Stdout}, mqtt.Board{}, &out, nil)
	for seq := range uint64(3) {
		require.NoError(t, s.Write(answer(seq+1)))
	}
	require.NoError(t, s.Close())
	require.Equal(t, []uint64{1, 2, 3}, sequence(t, out.String()))
	require.Equal(t, string(answer(1).AppendJSON(nil)), out.String()[:strings.Index(out.String(), "\n")])
}

// shortWriter takes at most room bytes more.
type shortWriter struct {
	bytes.Buffer
	room int
	err  error
}

func (w *shortWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	w.room -= n
	w.Buffer.Write(p[:n])
	if n < len(p) {
		return n, w.err
	}
	return n, nil
}

func TestLineAfterATornOne(t *testing.T) {
	length := len(answer(1).AppendJSON(nil)) + 1
	for _, fault := range []error{syscall.EAGAIN, nil} {
		for cut := range length {
			w := &shortWriter{room: length + cut, err: fault}
			s := New(Config{Type: Stdout}, mqtt.Board{}, w, nil)
			require.NoError(t, s.Write(answer(1)))
			err := s.Write(answer(2))
			if want := fault; want == nil {
				require.ErrorIs(t, err, io.ErrShortWrite)
			} else {
				require.ErrorIs(t, err, want)
			}
			w.room = 1 << 20
			require.NoError(t, s.Write(answer(3)))
			switch got := sequence(t, w.String()); cut {
			case 0:
				require.Equal(t, []uint64{1, 3}, got)
			case length - 1: // all but the line break
				require.Equal(t, []uint64{1, 2, 3}, got)
			default:
				require.Equal(t, []uint64{1, 0, 3}, got)
			}
		}
	}
}

func TestRow56ClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	require.NoError(t, r.Close())
	s := New(Config{Type: Stdout}, mqtt.Board{}, w, nil)
	require.ErrorIs(t, s.Write(answer(1)), syscall.EPIPE)
	require.ErrorIs(t, s.Write(answer(2)), syscall.EPIPE)
	require.NoError(t, s.Close())
}

func TestWritingAllocatesNothing(t *testing.T) {
	s := New(Config{Type: Stdout}, mqtt.Board{}, io.Discard, nil)
	r := answer(1)
	require.NoError(t, s.Write(r))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := s.Write(r); err != nil {
			panic(errors.Join(errors.New("write"), err))
		}
	}))
}
