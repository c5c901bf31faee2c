package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// oddRequest is one of testdata/requests.txt, and the code that answers it.
type oddRequest struct {
	door, text string
	code       int
}

// oddRequests reads the corpus: a door, a code and a quoted request in each line.
// {n} stands for something else in every round.
func oddRequests(t *testing.T, round int) (all []oddRequest) {
	file, err := os.ReadFile("testdata/requests.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "#") || line == "\n" {
			continue
		}
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		require.Len(t, words, 3, line)
		code, err := strconv.Atoi(words[1])
		require.NoError(t, err, line)
		text, err := strconv.Unquote(words[2])
		require.NoError(t, err, line)
		all = append(all, oddRequest{words[0], strings.ReplaceAll(text, "{n}", fmt.Sprintf("odd%d", round)), code})
	}
	return append(all,
		oddRequest{"unix", "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", 431},
		oddRequest{"unix", "GET /healthz HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: a\r\n", 10000) + "\r\n", 431},
		oddRequest{"unix", "GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
		oddRequest{"unix", "POST /v1/regions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("10000\r\n"+strings.Repeat(" ", 1<<16)+"\r\n", 17) + "0\r\n\r\n", 413},
	)
}

// odd sends one request over a connection of its own and returns the code of the
// answer.
func (r *rig) odd(q oddRequest) int {
	c, err := net.Dial("unix", r.socket)
	if q.door == "tcp" {
		c, err = net.Dial("tcp", r.tcp)
	}
	require.NoError(r, err)
	defer c.Close()
	require.NoError(r, c.SetDeadline(time.Now().Add(3*patience)))
	go io.WriteString(c, q.text) // the server need not read all of it
	method, _, _ := strings.Cut(q.text, " ")
	reply, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	require.NoError(r, err, "%.200q", q.text)
	defer reply.Body.Close()
	return reply.StatusCode
}

// series are the names and labels of all metrics.
func (r *rig) series() (all []string) {
	for line := range strings.Lines(r.ask(http.MethodGet, "/metrics").body) {
		if name, _, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// TestRow51OddRequests: what is odd about method, path, host, header or length is
// refused with the right code, costs nobody else anything, and leaves no word of a
// client in the metrics, however many there are.
func TestRow51OddRequests(t *testing.T) {
	r := serve(t, nil)
	const rounds = 3
	var first []string
	sent := 0
	for round := range rounds {
		for _, q := range oddRequests(t, round) {
			require.Equal(t, q.code, r.odd(q), "%s %.300q", q.door, q.text)
			sent++
		}
		require.Equal(t, 200, r.get("/healthz").code)
		if round == 0 {
			first = r.series()
		}
	}
	require.Greater(t, sent, rounds*150)
	require.Equal(t, first, r.series())
	for _, name := range first {
		if strings.Contains(name, "{") {
			require.Regexp(t, regexp.MustCompile(`^ragedge_api_requests_total\{code="[2-5]\d\d"\}$`), name)
		}
	}
	require.NotContains(t, r.get("/metrics").body, "odd")
	require.Equal(t, "0", r.metric("ragedge_api_panics_total"))
	require.Empty(t, r.metric(`ragedge_api_requests_total{code="500"}`))
	require.Empty(t, r.daemon.taken())
	r.web.CloseIdleConnections()
	require.Eventually(t, func() bool { return r.server.conns.count() <= 2 }, patience, time.Millisecond)
}

// TestRow51Pipelined: requests that come at once are answered in their order, the
// good ones before an odd one too, and nothing after it.
func TestRow51Pipelined(t *testing.T) {
	r := serve(t, nil)
	const good = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	c := r.raw(good + "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" + good + "BREW\r\n\r\n" + good)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	in := bufio.NewReader(c)
	for _, code := range []int{200, 404, 200, 400} {
		reply, err := http.ReadResponse(in, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, reply.Body)
		require.NoError(t, err)
		require.Equal(t, code, reply.StatusCode)
	}
	_, err := in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}
