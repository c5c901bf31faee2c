package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// fake is a Daemon that does as it is told.
type fake struct {
	mu      sync.Mutex
	live    error
	ready   error
	status  Status
	refusal error
	pushed  []*Push
	decided uint64
	hold    chan struct{} // Push waits until it is closed
	panics  bool

	labels    []Label
	recording bool
	flights   int

	recordings []Recording
	directory  string // of what OpenRecording opens
	lines      int    // of what ViewRecording emits
	viewed     []RecordingView
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) Live() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics {
		panic("a bug")
	}
	return f.live
}

func (f *fake) Ready() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready
}

func (f *fake) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *fake) Push(p *Push) error {
	f.mu.Lock()
	hold, refusal := f.hold, f.refusal
	if refusal == nil {
		f.pushed = append(f.pushed, p)
	}
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return refusal
}

func (f *fake) Decide(p *Push, dst *result.Result) error {
	if err := f.Push(p); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.decided++
	some(f.decided).CopyTo(dst)
	return nil
}

func (f *fake) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refusal
}

func (f *fake) Label(_ context.Context, l *Label) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusal == nil {
		f.labels = append(f.labels, *l)
	}
	return f.refusal
}

func (f *fake) Flight(string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flights++
	return f.refusal
}

func (f *fake) Record(on bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recording = on
	return f.refusal
}

func (f *fake) WriteMetrics(w io.Writer) { fmt.Fprintln(w, "ragedge_test 1") }

// taken returns the pushes that were accepted so far.
func (f *fake) taken() []*Push {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*Push(nil), f.pushed...)
}

// some is a Result to tell from others by its number.
func some(seq uint64) *result.Result {
	return &result.Result{
		Seq:           seq,
		Time:          time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
		Quality:       "ntp",
		Label:         "two",
		Labels:        []string{"one", "two"},
		Probabilities: []float32{0.25, 0.75},
		Model:         "sha256:00",
		KernelSet:     "generic",
		Modalities:    []result.Modality{{Name: "light", Share: 1, Present: true, Rows: 1}},
	}
}

// rig is a running server with a client for each of its doors.
type rig struct {
	*testing.T
	daemon *fake
	server *Server
	socket string
	tcp    string // host:port
	unix   *http.Client
	web    *http.Client
}

// serve starts a server whose limits were changed, and checks at the end that
// nothing of it is left running.
func serve(t *testing.T, change func(*limits)) *rig {
	t.Helper()
	before := runtime.NumGoroutine()
	lim := defaultLimits
	if change != nil {
		change(&lim)
	}
	r := &rig{T: t, daemon: &fake{}, socket: filepath.Join(t.TempDir(), "api.sock")}
	var err error
	c := Config{Listen: []string{"unix:" + r.socket, "127.0.0.1:0"}}
	require.NoError(t, c.Check())
	r.server, err = start(c, r.daemon, slog.New(slog.DiscardHandler), lim)
	require.NoError(t, err)
	r.tcp = r.server.Addresses()[1].String()
	r.unix = &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", r.socket) },
	}}
	r.web = &http.Client{Timeout: patience, Transport: &http.Transport{}}
	t.Cleanup(func() {
		r.unix.CloseIdleConnections()
		r.web.CloseIdleConnections()
		require.NoError(t, r.server.Close())
		// Eventually asks from a goroutine of its own.
		require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, patience, time.Millisecond,
			"goroutines are left")
	})
	return r
}

// answer is what a test looks at of a reply.
type answer struct {
	code   int
	header http.Header
	body   string
}

func do(t *testing.T, c *http.Client, req *http.Request) answer {
	t.Helper()
	resp, err := c.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// ask sends a request without body through the Unix socket.
func (r *rig) ask(method, path string) answer {
	r.Helper()
	req, err := http.NewRequest(method, "http://ragedge"+path, nil)
	require.NoError(r, err)
	return do(r.T, r.unix, req)
}

// get sends a GET over TCP.
func (r *rig) get(path string) answer {
	r.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+r.tcp+path, nil)
	require.NoError(r, err)
	return do(r.T, r.web, req)
}

// push posts a body to /v1/regions through the Unix socket.
func (r *rig) push(query, contentType string, body []byte) answer {
	r.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://ragedge/v1/regions"+query, bytes.NewReader(body))
	require.NoError(r, err)
	req.Header.Set("Content-Type", contentType)
	return do(r.T, r.unix, req)
}

// metric returns the value of one of the server's metrics, "" when it has none.
func (r *rig) metric(name string) string {
	r.Helper()
	for line := range strings.Lines(r.ask(http.MethodGet, "/metrics").body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// raw connects to the Unix socket and sends text as it is.
func (r *rig) raw(text string) net.Conn {
	r.Helper()
	c, err := net.Dial("unix", r.socket)
	require.NoError(r, err)
	r.Cleanup(func() { c.Close() })
	if text != "" {
		_, err = io.WriteString(c, text)
		require.NoError(r, err)
	}
	return c
}

// rawAnswer reads one reply from a connection.
func rawAnswer(t *testing.T, c net.Conn) answer {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, string(body)}
}

var errTest = errors.New("the bus is stuck")

// tinyModel is what the fake says of its model.
var tinyModel = Model{
	Name: "tiny", Digest: "sha256:00", Config: json.RawMessage(`{"name":"tiny"}`), StateBytes: 64,
	Inputs:  []TensorInfo{{"text", "FP32", []int{-1, 2}}},
	Outputs: []TensorInfo{{"logits", "FP32", []int{2}}},
}

func (f *fake) Model() (*Model, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusal != nil {
		return nil, f.refusal
	}
	return &tinyModel, nil
}

// Fuse returns the sums of the columns of "text", as "logits" and again as "z".
func (f *fake) Fuse(in *safetensors.File) (*safetensors.File, error) {
	t := in.Tensor("text")
	if t == nil {
		return nil, fmt.Errorf("%w: no text", ErrInvalid)
	}
	values, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	width := t.Shape[len(t.Shape)-1]
	sums := make([]float32, width)
	for i, v := range values {
		sums[i%width] += v
	}
	return &safetensors.File{Tensors: []safetensors.Tensor{
		safetensors.NewFloat32("z", sums, 1, width), safetensors.NewFloat32("logits", sums, width),
	}}, nil
}

func (f *fake) Attention() (*Attention, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusal != nil {
		return nil, f.refusal
	}
	return &Attention{Seq: 1, Modalities: []string{"light"}, Attention: [][]float32{{1}}, Region: []float32{1}}, nil
}

// AttentionThen takes any recording for one that has a Result at every full second.
func (f *fake) AttentionThen(ctx context.Context, name string, at time.Time) (*Attention, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusal != nil {
		return nil, f.refusal
	}
	if at.Nanosecond() != 0 {
		return nil, fmt.Errorf("%w: %s: no Result of that time", ErrUnknown, name)
	}
	return &Attention{Seq: 7, Time: at, Modalities: []string{"light"}, Attention: [][]float32{{1}}, Region: []float32{1}}, ctx.Err()
}

func (f *fake) Recordings() ([]Recording, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.recordings, f.refusal
}

// OpenRecording opens files of the fake's own directory.
func (f *fake) OpenRecording(name string) (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusal != nil {
		return nil, f.refusal
	}
	file, err := os.Open(filepath.Join(f.directory, filepath.Base(name)))
	if err != nil || f.directory == "" {
		return nil, fmt.Errorf("%w: no recording %q", ErrUnknown, name)
	}
	return file, nil
}

func (f *fake) ViewRecording(ctx context.Context, name string, v *RecordingView, emit func([]byte) error) error {
	f.mu.Lock()
	refusal, lines := f.refusal, f.lines
	f.viewed = append(f.viewed, *v)
	f.mu.Unlock()
	if refusal != nil {
		return refusal
	}
	for i := range lines {
		if i == v.Lines {
			return fmt.Errorf("%w: too many lines", ErrRequest)
		}
		if err := emit(fmt.Appendf(nil, `{"seq":%d,"mono_ns":0}`, i+1)); err != nil {
			return err
		}
	}
	return ctx.Err()
}
