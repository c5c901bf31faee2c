package sink

import (
	"bufio"
	"encoding/pem"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/result"
)

var pumpRoom = mqtt.Board{Name: "pump-room"}

func TestCheckInflux(t *testing.T) {
	for _, url := range []string{"tcp://telegraf:8094", "udp://[::1]:8089", "unix:///run/telegraf.sock", "http://influx:8086/write?db=a", "https://influx/api/v2/write?org=a&bucket=b"} {
		require.NoError(t, Config{Type: Influx, URL: url}.Check(), url)
	}
	require.NoError(t, Config{Type: Influx, URL: "http://influx:8086/write", PasswordFile: "token"}.Check())
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, "url: required: want tcp://"},
		{Config{URL: "tcp://telegraf"}, "url: want tcp://"},
		{Config{URL: "unix://run/x"}, "url: want tcp://"},
		{Config{URL: "mqtt://x:1"}, "url: want tcp://"},
		{Config{URL: "http://me:hunter2@x"}, "use username and password_file"},
		{Config{URL: "tcp://x:1", Username: "u"}, "username: tcp:// has no login"},
		{Config{URL: "http://x", Username: "u"}, "password_file: missing beside username"},
		{Config{URL: "http://x", Topic: "t"}, "topic: a key of type mqtt, which type influx does not have"},
	} {
		c.config.Type = Influx
		err := c.config.Check()
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestInfluxLine(t *testing.T) {
	r := answer(7)
	r.Time, r.Model = time.Unix(1700000000, 5), "sha256:0123456789abcdef"
	r.Modalities = append(r.Modalities, result.Modality{Name: "air", Measured: true, Effect: -0.25, Age: -1})
	r.Readings = []result.Reading{{Channel: "desk.lux", Value: 12.5}, {Channel: "door", Reason: "no value yet"}}
	for name, c := range map[string]struct {
		board string
		edit  func(*result.Result)
		want  string
	}{
		"a decision": {"pump-room", func(*result.Result) {},
			`ragedge,host=pump-room,model=0123456789ab seq=7i,label="2 people",probability=0.75,present_light=true,share_light=0.5,present_air=false,share_air=0,effect_air=-0.25,reading_desk.lux=12.5 1700000000000000005`},
		"no decision": {"a", func(r *result.Result) {
			*r = result.Result{Seq: 1, Labels: []string{"a"}, Reason: "no data"}
		}, `ragedge,host=a seq=1i,reason="no data"`},
		"values": {"a", func(r *result.Result) {
			*r = result.Result{Values: []float32{1.5, float32(math.NaN()), float32(math.Inf(-1))}}
		}, `ragedge,host=a seq=0i,value_0=1.5`},
		"escapes": {`a b,c=d\e`, func(r *result.Result) {
			*r = result.Result{Label: "x\"y\\z\n,= é", Model: `m\`, Readings: []result.Reading{{Channel: `a b,c=d\`, Value: 1}}}
		}, `ragedge,host=a\ b\,c\=d\e,model=m seq=0i,label="x\"y\\z ,= é",reading_a\ b\,c\=d=1`},
		"no name": {`\\`, func(r *result.Result) { *r = result.Result{} }, `ragedge seq=0i`},
	} {
		t.Run(name, func(t *testing.T) {
			edited := *r
			c.edit(&edited)
			require.Equal(t, c.want+"\n", string(appendInflux(nil, &mqtt.Board{Name: c.board}, &edited)))
		})
	}
}

func lineOf(seq uint64) string { return string(appendInflux(nil, &pumpRoom, answer(seq))) }

// A peer that goes away and comes back gets every line, in order; one may come twice.
func TestRow56PeerGoesAway(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				dir, err := os.MkdirTemp("", "influx") // a socket's path must be short
				require.NoError(t, err)
				defer os.RemoveAll(dir)
				address = filepath.Join(dir, "s")
			}
			l, err := net.Listen(network, address)
			require.NoError(t, err)
			address = l.Addr().String()
			s := New(Config{Type: Influx, URL: network + "://" + address}, pumpRoom, nil, OS{}).(*influx)
			s.backoff = mqtt.Backoff{Least: 2, Most: 4} // nanoseconds
			require.NoError(t, s.Write(answer(1)))
			c, err := l.Accept()
			require.NoError(t, err)
			in := bufio.NewReader(c)
			line, err := in.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, lineOf(1), line)
			require.NoError(t, s.Write(answer(2)))
			line, _ = in.ReadString('\n')
			require.Equal(t, lineOf(2), line)

			require.NoError(t, l.Close())
			require.NoError(t, c.Close())
			<-s.gone
			require.Error(t, s.Write(answer(3)))
			time.Sleep(time.Millisecond)
			require.Error(t, s.Write(answer(4)))
			time.Sleep(time.Millisecond)
			l, err = net.Listen(network, address)
			require.NoError(t, err)
			defer l.Close()
			require.NoError(t, s.Write(answer(5)))
			require.NoError(t, s.Close())
			c, err = l.Accept()
			require.NoError(t, err)
			text, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Equal(t, lineOf(3)+lineOf(4)+lineOf(5), string(text))
		})
	}
}

func TestInfluxPackets(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer c.Close()
	s := New(Config{Type: Influx, URL: "udp://" + c.LocalAddr().String()}, pumpRoom, nil, OS{}).(*influx)
	s.lines = []byte(lineOf(1))
	require.NoError(t, s.Write(answer(2)))
	require.NoError(t, s.Close())
	for seq := range uint64(2) {
		packet := make([]byte, 1<<16)
		n, _, err := c.ReadFrom(packet)
		require.NoError(t, err)
		require.Equal(t, lineOf(seq+1), string(packet[:n]))
	}
}

func TestInfluxHTTP(t *testing.T) {
	status := http.StatusNoContent
	var bodies, logins []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies, logins = append(bodies, string(body)), append(logins, r.Header.Get("Authorization"))
		if status != http.StatusNoContent {
			http.Error(w, "partial write: "+strings.Repeat("x", 1000), status)
			return
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("secret\n"), 0o600))
	s := New(Config{Type: Influx, URL: server.URL + "/write?db=a", PasswordFile: token}, pumpRoom, nil, OS{}).(*influx)
	s.backoff = mqtt.Backoff{Least: 2, Most: 4}
	require.NoError(t, s.Write(answer(1)))
	for _, code := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		status = code
		time.Sleep(time.Millisecond)
		err := s.Write(answer(2))
		require.ErrorContains(t, err, "partial write")
		require.Less(t, len(err.Error()), 300)
	}
	status = http.StatusBadRequest
	time.Sleep(time.Millisecond)
	require.Error(t, s.Write(answer(3)))
	require.Equal(t, lineOf(2)+lineOf(2)+lineOf(3), bodies[3], "kept until they can be delivered")
	status = http.StatusNoContent
	time.Sleep(time.Millisecond)
	require.NoError(t, s.Write(answer(4)))
	require.Equal(t, lineOf(4), bodies[4], "what the server calls wrong is dropped")
	require.Equal(t, "Token secret", logins[4])
	require.NoError(t, os.Chmod(token, 0o644))
	require.ErrorContains(t, s.Write(answer(5)), "password_file: ")
	require.ErrorContains(t, s.Close(), "1 lines were not delivered")
}

func TestInfluxTLS(t *testing.T) {
	got := make(chan string, 2)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		got <- user + " " + password + " " + r.URL.RequestURI() + " " + string(body)
		w.WriteHeader(http.StatusNoContent)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()
	dir := t.TempDir()
	ca, password := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "password")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644))
	require.NoError(t, os.WriteFile(password, []byte("secret"), 0o600))
	c := Config{Type: Influx, URL: server.URL + "/write?db=a", Username: "me", PasswordFile: password}
	require.NoError(t, c.Check())
	s := New(c, pumpRoom, nil, OS{})
	require.ErrorContains(t, s.Write(answer(1)), "unknown authority")
	require.Error(t, s.Close())
	c.CAFile = ca
	require.NoError(t, c.Check())
	s = New(c, pumpRoom, nil, OS{})
	require.NoError(t, s.Write(answer(1)))
	require.NoError(t, s.Close())
	require.Equal(t, "me secret /write?db=a "+lineOf(1), <-got)
	c.URL = "tcp://x:1"
	c.Username, c.PasswordFile = "", ""
	require.ErrorContains(t, c.Check(), "ca_file: without TLS")
}

// Without a peer what waits is bounded, attempts are spaced out, and the oldest goes.
func TestInfluxBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Type: Influx, URL: "unix:///nowhere/at/all"}, pumpRoom, nil, OS{}).(*influx)
		dropped := false
		for seq := range uint64(2000) {
			err := s.Write(answer(seq + 1))
			require.ErrorContains(t, err, "no such file")
			dropped = dropped || strings.Contains(err.Error(), "old lines dropped")
			require.LessOrEqual(t, len(s.lines), maxLines)
			require.True(t, strings.HasPrefix(string(s.lines), "ragedge,"), "whole lines")
		}
		require.True(t, dropped)
		require.True(t, strings.HasSuffix(string(s.lines), lineOf(2000)))
		require.ErrorContains(t, s.Write(answer(1)), "waiting before another attempt")
	})
}

// A server, or what is in its place, that never comes to the end of its headers does
// not fill the memory.
func TestInfluxEndlessAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	sent := make(chan int)
	go func() {
		n := 0
		defer func() { sent <- n }()
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for line := []byte("X: " + strings.Repeat("x", 1<<16) + "\r\n"); err == nil && n < 64<<20; {
			var k int
			k, err = c.Write(line)
			n += k
		}
	}()
	s := newInflux(&Config{Type: Influx, URL: "http://" + l.Addr().String() + "/write"}, pumpRoom)
	require.Error(t, s.Write(answer(1)))
	require.Less(t, <-sent, 64<<20)
}
