package sink

import (
	"io"

	"github.com/ragedge/ragedge/result"
)

// lines writes one JSON object per line. It is the sink of type stdout.
//
// A write to a closed pipe is an error like any other here, if the program keeps
// alive through it: Go ends a process that gets SIGPIPE on its own output unless
// it calls signal.Ignore or signal.Notify for it.
type lines struct {
	w      io.Writer
	buffer []byte
	torn   bool // the output ends within a line
}

// Write writes one line, on a line of its own even after a failed write.
func (l *lines) Write(r *result.Result) error {
	l.buffer = l.buffer[:0]
	if l.torn {
		l.buffer = append(l.buffer, '\n')
	}
	l.buffer = append(r.AppendJSON(l.buffer), '\n')
	n, err := l.w.Write(l.buffer)
	if n > 0 {
		l.torn = l.buffer[n-1] != '\n'
	}
	if err == nil && n < len(l.buffer) {
		err = io.ErrShortWrite
	}
	return err
}

// Close leaves w open: it belongs to the caller.
func (l *lines) Close() error { return nil }
