package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// load is a number of clients that push and label for as long as a daemon answers.
type load struct {
	clients sync.WaitGroup
	acks    atomic.Int64

	mu     sync.Mutex
	seqs   []uint64 // of the decisions that were answered
	labels []string // that were acknowledged
}

// post sends a body, and says whether that was acknowledged.
func post200(c *http.Client, path, body string) (reply []byte, ok bool) {
	r, err := c.Post("http://ragedge"+path, "application/json", strings.NewReader(body))
	if err != nil {
		return nil, false
	}
	defer r.Body.Close()
	reply, err = io.ReadAll(r.Body)
	return reply, err == nil && r.StatusCode == http.StatusOK
}

// join adds a client that calls once with a number until that is false.
func (l *load) join(socket string, once func(c *http.Client, n int) bool) {
	l.clients.Go(func() {
		c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}}}
		defer c.CloseIdleConnections()
		for n := 0; once(c, n); n++ {
			l.acks.Add(1)
		}
	})
}

func (l *load) decide(c *http.Client, n int) bool {
	reply, ok := post200(c, "/v1/regions?decide=1", fmt.Sprintf(`{"regions":{"light":[[%d,1,1,1]]}}`, n))
	var r result.Result
	if ok && json.Unmarshal(reply, &r) == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.seqs = append(l.seqs, r.Seq)
	}
	return ok
}

func (l *load) label(c *http.Client, n int) bool {
	name := fmt.Sprint("label ", n)
	_, ok := post200(c, "/v1/label", `{"label":"`+name+`"}`)
	if ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.labels = append(l.labels, name)
	}
	return ok
}

// TestRow62TerminateUnderLoad: a SIGTERM while clients push as fast as they can ends the
// process with code 0, and what it has acknowledged until its last moment is in its
// files: decisions in the output, labels in the recording.
func TestRow62TerminateUnderLoad(t *testing.T) {
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	for range rounds {
		s := newSite(t)
		out, recordings := filepath.Join(s.dir, "out.jsonl"), filepath.Join(s.dir, "recordings")
		s.put(t, "ragedge.toml", append(s.read(t, "ragedge.toml"), "[[sink]]\ntype = \"file\"\nqueue = 4096\npath = \""+out+
			"\"\n[record]\nwhen = \"always\"\ndurable = \"record\"\ndirectory = \""+recordings+"\"\n"...))
		var said bytes.Buffer
		p := s.spawn(t, &said, &said)
		l := &load{}
		for range 4 {
			l.join(s.client.socket, l.decide)
		}
		l.join(s.client.socket, l.label)
		require.Eventually(t, func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.seqs) > 200 && len(l.labels) > 5
		}, time.Minute, time.Millisecond)
		before, begun := l.acks.Load(), time.Now()
		p.terminate(t)
		require.Less(t, time.Since(begun), time.Minute, "5 s on a machine that does nothing else")
		l.clients.Wait()
		t.Logf("%d acknowledged, %d of them since SIGTERM", l.acks.Load(), l.acks.Load()-before)

		written := map[uint64]bool{}
		for line := range bytes.Lines(s.read(t, "out.jsonl")) {
			var r result.Result
			require.NoError(t, json.Unmarshal(line, &r), "%s", line)
			written[r.Seq] = true
		}
		for _, seq := range l.seqs {
			require.True(t, written[seq], "decision %d of %d was answered and is not in the output: %s", seq, len(written), &said)
		}
		recorded := labelsIn(t, recordings)
		for _, name := range l.labels {
			require.True(t, recorded[name], "%s was acknowledged and is not in the recording: %s", name, &said)
		}
	}
}

// labelsIn are the labels of all recordings in a directory, which are all closed.
func labelsIn(t *testing.T, dir string) map[string]bool {
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	found := map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".lock") {
			continue
		}
		require.True(t, strings.HasSuffix(f.Name(), ".mcap"), f.Name())
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		r, err := record.Load([]record.Source{{Name: f.Name(), ReaderAt: bytes.NewReader(text), Size: int64(len(text))}})
		require.NoError(t, err)
		for _, l := range r.Labels {
			found[l.Label] = true
		}
	}
	return found
}
