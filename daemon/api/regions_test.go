package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/safetensors"
)

const jsonType = "application/json"

// TestPushIsAtomic: samples and regions of one body reach the daemon together,
// and nothing of a body with any fault in it does.
func TestPushIsAtomic(t *testing.T) {
	r := serve(t, nil)
	a := r.push("", jsonType, []byte(`{"id":"q1","age_s":2,"ttl_s":60,"regions":{"text":[[1,2],[3,4]],"image":[[5]]},
		"samples":[{"channel":"light1","value":3.2}]}`))
	require.Equal(t, 200, a.code, a.body)
	require.Equal(t, "{\"id\":\"q1\",\"rows\":3,\"samples\":1}\n", a.body)
	require.Equal(t, []*Push{{
		ID: "q1", Age: 2 * time.Second, TTL: time.Minute,
		Regions: []Regions{
			{Modality: "text", Rows: 2, Features: 2, Data: []float32{1, 2, 3, 4}},
			{Modality: "image", Rows: 1, Features: 1, Data: []float32{5}},
		},
		Samples: []Sample{{Channel: "light1", Value: 3.2}},
	}}, r.daemon.taken())

	a = r.push("", jsonType, []byte(`{"regions":{"text":[[1,2],[3,4]],"image":[[5],[null]]},"samples":[{"channel":"light1","value":3.2}]}`))
	require.Equal(t, 400, a.code)
	require.Equal(t, "{\"error\":\"invalid push: regions: modality \\\"image\\\": row 1: feature 0: want a number, have null\"}\n", a.body)
	require.Len(t, r.daemon.taken(), 1)
}

func TestPushTensors(t *testing.T) {
	r := serve(t, nil)
	body := tensors(t, safetensors.NewFloat32("text", []float32{1, 2}, 1, 2))
	for i, contentType := range []string{"application/octet-stream", "application/safetensors"} {
		a := r.push("?age=500ms&ttl=60&id=q1", contentType, body)
		require.Equal(t, 200, a.code, a.body)
		require.Equal(t, &Push{
			ID: "q1", Age: 500 * time.Millisecond, TTL: time.Minute,
			Regions: []Regions{{Modality: "text", Rows: 1, Features: 2, Data: []float32{1, 2}}},
		}, r.daemon.taken()[i])
	}
	require.Equal(t, 400, r.push("", "application/safetensors", body[:len(body)-1]).code)
}

func TestDecide(t *testing.T) {
	r := serve(t, nil)
	a := r.push("?decide=1", jsonType, []byte(`{"regions":{"text":[[1]]}}`))
	require.Equal(t, 200, a.code)
	require.Equal(t, string(some(1).AppendJSON(nil))+"\n", a.body)
	require.Len(t, r.daemon.taken(), 1)
	require.Equal(t, 200, r.push("?decide=1", jsonType, []byte(`{}`)).code, "decide on what is there")
	require.Equal(t, 200, r.push("?decide=0", jsonType, []byte(`{"regions":{"text":[[1]]}}`)).code)
	require.Equal(t, uint64(2), r.daemon.decided)
}

func TestPushRefusals(t *testing.T) {
	r := serve(t, nil)
	const good = `{"regions":{"text":[[1]]}}`
	large := `{"id":"` + strings.Repeat("x", maxBody) + `"}`
	for _, tt := range []struct {
		query, contentType, body string
		code                     int
		want                     string
	}{
		{"", jsonType, `{}`, 400, "it holds neither regions nor samples"},
		{"", jsonType, `{"regions":{}}`, 400, "it holds neither regions nor samples"},
		{"", jsonType, `{"what":1}`, 400, `unknown key \"what\"`},
		{"?decide=yes", jsonType, good, 400, `decide: \"yes\" is neither 0 nor 1`},
		{"?decide", jsonType, good, 400, `decide: \"\" is neither 0 nor 1`},
		{"?decide=1&decide=0", jsonType, good, 400, "query decide appears twice"},
		{"?dec=1", jsonType, good, 400, "unknown query key (known: [decide])"},
		{"?age=1", jsonType, good, 400, "unknown query key (known: [decide])"},
		{"?decide=%zz", jsonType, good, 400, "the query: "},
		{"?a=1;b=2", jsonType, good, 400, "the query: "},
		{"?age=x", "application/safetensors", good, 400, "age: "},
		{"", "text/plain", good, 415, `\"text/plain\": use application/json or application/safetensors`},
		{"", "application/json; charset=utf-8; charset=x", good, 415, "use application/json"},
		{"", jsonType, large, 413, "the body is larger than 1048576 bytes"},
		{"", "application/safetensors", large, 413, "the body is larger than 1048576 bytes"},
	} {
		a := r.push(tt.query, tt.contentType, []byte(tt.body))
		require.Equal(t, tt.code, a.code, "%.60v: %s", tt, a.body)
		require.Contains(t, a.body, tt.want)
		require.Contains(t, a.body, `{"error":"`)
		require.Equal(t, jsonType, a.header.Get("Content-Type"))
	}
	require.Empty(t, r.daemon.taken())
	for _, json := range []string{"application/json; charset=utf-8", "", "application/x-www-form-urlencoded"} {
		require.Equal(t, 200, r.push("", json, []byte(good)).code, json)
	}
}

func TestPushCompressed(t *testing.T) {
	r := serve(t, nil)
	req, err := http.NewRequest(http.MethodPost, "http://ragedge/v1/regions", strings.NewReader("{}"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", jsonType)
	req.Header.Set("Content-Encoding", "gzip")
	require.Equal(t, 415, do(t, r.unix, req).code)
}

// TestChunkedBody: the bound holds for a body that does not tell its length.
func TestChunkedBody(t *testing.T) {
	r := serve(t, nil)
	for size, code := range map[int]int{maxBody: 200, maxBody + 1: 413} {
		body := []byte(`{"regions":{"text":[[1]]}}`)
		body = append(body, bytes.Repeat([]byte(" "), size-len(body))...)
		req, err := http.NewRequest(http.MethodPost, "http://ragedge/v1/regions", struct{ *bytes.Reader }{bytes.NewReader(body)})
		require.NoError(t, err)
		req.ContentLength = -1
		req.Header.Set("Content-Type", jsonType)
		require.Equal(t, code, do(t, r.unix, req).code)
	}
}

// TestCutBody: a client that dies in the middle of a push has pushed nothing.
func TestCutBody(t *testing.T) {
	r := serve(t, nil)
	c := r.raw("POST /v1/regions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n" +
		`{"regions":{"text":[[1]]}}`)
	c.Close()
	require.Eventually(t, func() bool { return r.metric(`ragedge_api_requests_total{code="400"}`) == "1" }, patience, time.Millisecond)
	require.Empty(t, r.daemon.taken())
}

// TestDaemonRefuses: the daemon's errors become status codes, for both ways to
// push.
func TestDaemonRefuses(t *testing.T) {
	r := serve(t, nil)
	for _, tt := range []struct {
		err   error
		code  int
		retry string
	}{
		{fmt.Errorf("%w: no channel light9", ErrUnknown), 404, ""},
		{fmt.Errorf("%w: modality text has 3 features", ErrInvalid), 400, ""},
		{fmt.Errorf("%w: the queue is full", ErrFull), 429, "1"},
		{fmt.Errorf("%w: no model is loaded", ErrNotReady), 503, "1"},
		{errTest, 500, ""},
	} {
		r.daemon.set(func() { r.daemon.refusal = tt.err })
		for _, query := range []string{"", "?decide=1"} {
			a := r.push(query, jsonType, []byte(`{"samples":[{"channel":"light9","value":1}]}`))
			require.Equal(t, tt.code, a.code)
			require.Equal(t, fmt.Sprintf("{\"error\":%q}\n", tt.err), a.body)
			require.Equal(t, tt.retry, a.header.Get("Retry-After"))
		}
	}
}

// TestPushesAreBounded: pushes that wait too long for others are told to come
// back, and everything else goes on.
func TestPushesAreBounded(t *testing.T) {
	r := serve(t, func(l *limits) { l.pushes, l.pushWait = 2, 20*time.Millisecond })
	hold := make(chan struct{})
	r.daemon.set(func() { r.daemon.hold = hold })
	body := []byte(`{"regions":{"text":[[1]]}}`)
	codes := make(chan int, 2)
	for range cap(codes) {
		go func() { codes <- r.push("", jsonType, body).code }()
	}
	require.Eventually(t, func() bool { return len(r.daemon.taken()) == 2 }, patience, time.Millisecond)
	a := r.push("", jsonType, body)
	require.Equal(t, 429, a.code)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Contains(t, a.body, "too much at once: 2 pushes are at work")
	require.Equal(t, 200, r.get("/healthz").code)
	close(hold)
	require.Equal(t, 200, <-codes)
	require.Equal(t, 200, <-codes)
	require.Equal(t, 200, r.push("", jsonType, body).code)
}
