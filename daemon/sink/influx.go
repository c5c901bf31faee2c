package sink

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/daemon/secret"
	"github.com/ragedge/ragedge/result"
)

const (
	// maxLines bounds the bytes of lines that could not be delivered; when they are
	// more the oldest lines go.
	maxLines = 64 << 10
	// influxWait is how long connecting, and how long writing, may take; both
	// together fit WriteTimeout.
	influxWait = 2 * time.Second
	// maxAnswer bounds what is read of an answer: headers have no bound of their own.
	maxAnswer = 64 << 10
)

// influx sends Results in InfluxDB's line protocol. What a failed attempt left is
// sent again with the next Result, after a back-off that grows; the time in each
// line makes one that arrives twice count once. The error says when old lines had to
// go.
type influx struct {
	target   *url.URL
	username string
	password string // file of it
	caFile   string
	board    mqtt.Board
	lines    []byte // not delivered
	backoff  mqtt.Backoff
	wait     time.Time // no attempt before
	last     error     // why not
	conn     net.Conn
	gone     chan struct{} // closed when the other side has closed conn
}

var errInfluxURL = errors.New("want tcp://HOST:PORT, udp://HOST:PORT, unix:///PATH, or an http:// or https:// address such as http://HOST:8086/write?db=NAME")

// parseInfluxURL reads where lines go. Errors do not repeat the text, which may hold
// a password by mistake.
func parseInfluxURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errInfluxURL
	}
	if u.User != nil {
		return nil, errors.New("a user or password does not belong here: use username and password_file")
	}
	ok := false
	switch u.Scheme {
	case "tcp", "udp":
		ok = u.Hostname() != "" && u.Port() != "" && u.Path == "" && u.RawQuery == ""
	case "unix":
		ok = u.Host == "" && len(u.Path) > 1
	case "http", "https":
		ok = u.Hostname() != ""
	}
	if !ok {
		return nil, errInfluxURL
	}
	return u, nil
}

// checkInflux adds what is wrong with the keys of type influx.
func (c *Config) checkInflux(add func(key string, err error)) {
	if c.URL == "" {
		add("url", fmt.Errorf("required: %w", errInfluxURL))
		return
	}
	u, err := parseInfluxURL(c.URL)
	switch {
	case err != nil:
		add("url", err)
	case u.Scheme != "http" && u.Scheme != "https" && c.Username+c.PasswordFile != "":
		add("username", fmt.Errorf("%s:// has no login: only http:// and https:// do", u.Scheme))
	case u.Scheme != "https" && c.CAFile != "":
		add("ca_file", errors.New("without TLS there is nothing to check: use an https:// url"))
	case c.Username != "" && c.PasswordFile == "":
		add("password_file", errors.New("missing beside username"))
	}
}

func newInflux(c *Config, board mqtt.Board) *influx {
	target, _ := parseInfluxURL(c.URL) // Check has seen it
	return &influx{
		target: target, username: c.Username, password: c.PasswordFile, caFile: c.CAFile, board: board,
		backoff: mqtt.Backoff{Least: time.Second, Most: time.Minute},
	}
}

func (s *influx) Write(r *result.Result) error {
	s.lines = appendInflux(s.lines, &s.board, r)
	dropped := s.trim()
	if time.Now().Before(s.wait) {
		return fmt.Errorf("waiting before another attempt: %w", errors.Join(s.last, dropped))
	}
	begun := time.Now()
	err := s.send()
	if err != nil {
		s.hangUp()
		s.last = err
		s.wait = time.Now().Add(s.backoff.After(time.Since(begun)))
		return errors.Join(err, dropped)
	}
	s.backoff = mqtt.Backoff{Least: s.backoff.Least, Most: s.backoff.Most}
	s.wait, s.last, s.lines = time.Time{}, nil, s.lines[:0]
	return nil
}

// trim drops the oldest lines of too many.
func (s *influx) trim() error {
	if len(s.lines) <= maxLines {
		return nil
	}
	cut := len(s.lines) - maxLines
	cut += bytes.IndexByte(s.lines[cut-1:], '\n')
	n := bytes.Count(s.lines[:cut], []byte("\n"))
	s.lines = append(s.lines[:0], s.lines[cut:]...)
	return fmt.Errorf("%d old lines dropped", n)
}

// send delivers all lines, or returns an error.
func (s *influx) send() error {
	switch s.target.Scheme {
	case "http", "https":
		return s.post()
	}
	if err := s.dial(); err != nil {
		return err
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(influxWait)); err != nil {
		return err
	}
	if s.target.Scheme != "udp" {
		_, err := s.conn.Write(s.lines)
		return err
	}
	for line := range bytes.Lines(s.lines) { // one packet each
		if _, err := s.conn.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// dial connects, unless there is a connection that the other side has not closed.
func (s *influx) dial() error {
	if s.conn != nil {
		select {
		case <-s.gone:
			s.hangUp()
		default:
			return nil
		}
	}
	address := s.target.Host
	if s.target.Scheme == "unix" {
		address = s.target.Path
	}
	conn, err := net.DialTimeout(s.target.Scheme, address, influxWait)
	if err != nil {
		return err
	}
	gone := make(chan struct{})
	s.conn, s.gone = conn, gone
	if s.target.Scheme != "udp" {
		go func() {
			_, _ = io.Copy(io.Discard, conn) // ends with the connection
			close(gone)
		}()
	}
	return nil
}

func (s *influx) hangUp() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// post sends all lines in one request. What the server calls wrong is dropped, since
// it would be wrong the next time as well.
func (s *influx) post() error {
	q, err := http.NewRequest(http.MethodPost, s.target.String(), bytes.NewReader(s.lines))
	if err != nil {
		return err
	}
	q.Close = true
	q.Header.Set("Content-Type", "text/plain; charset=utf-8")
	if s.password != "" {
		password, err := secret.Read(s.password)
		if err != nil {
			return fmt.Errorf("password_file: %w", err)
		}
		if s.username != "" {
			q.SetBasicAuth(s.username, string(password))
		} else {
			q.Header.Set("Authorization", "Token "+string(password))
		}
	}
	answer, err := s.ask(q)
	if err != nil {
		return err
	}
	defer s.hangUp()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
	switch code := answer.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusBadRequest || code == http.StatusRequestEntityTooLarge || code == http.StatusUnprocessableEntity:
		s.lines = s.lines[:0]
		fallthrough
	default:
		return fmt.Errorf("%s: %s", answer.Status, bytes.TrimSpace(text))
	}
}

// ask sends a request on a connection of its own. The library's client would be
// 400 KB of program that nothing else here needs.
func (s *influx) ask(q *http.Request) (*http.Response, error) {
	port := s.target.Port()
	if port == "" {
		port = s.target.Scheme // whose name is that of its port
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(s.target.Hostname(), port), influxWait)
	if err != nil {
		return nil, err
	}
	if s.target.Scheme == "https" {
		c := &tls.Config{ServerName: s.target.Hostname(), MinVersion: tls.VersionTLS12}
		if s.caFile != "" {
			if c.RootCAs, err = secret.Certificates(s.caFile); err != nil {
				conn.Close()
				return nil, fmt.Errorf("ca_file: %w", err)
			}
		}
		conn = tls.Client(conn, c)
	}
	s.conn = conn
	if err := conn.SetDeadline(time.Now().Add(influxWait)); err != nil {
		return nil, err
	}
	if err := q.Write(conn); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxAnswer)), q)
}

// Close ends the connection. Lines that were not delivered are lost.
func (s *influx) Close() error {
	s.hangUp()
	if n := bytes.Count(s.lines, []byte("\n")); n > 0 {
		return fmt.Errorf("%d lines were not delivered: %w", n, s.last)
	}
	return nil
}
