// Package api serves the daemon over HTTP, on Unix sockets and on TCP. Who may
// change anything, and on an address that other machines reach who may see
// anything, shows a token or a certificate; a socket's file mode says it there.
//
// The server never holds a lock of the sample→decision path: Results reach it
// through Write, as they reach any sink, and what a client is slow to read waits
// in that client's own bounded buffer.
package api

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
)

// What a Daemon's errors mean to a client. Each has its own status code; an
// error that wraps none of them is answered with 500.
var (
	// ErrUnknown is a channel or modality that the daemon does not have: 404.
	ErrUnknown = errors.New("unknown name")
	// ErrInvalid is a push that cannot be taken as it is: 400.
	ErrInvalid = errors.New("invalid push")
	// ErrRequest is any other request that makes no sense: 400.
	ErrRequest = errors.New("invalid request")
	// ErrMismatch is a request about something that does not fit what is loaded: 409.
	ErrMismatch = errors.New("does not fit")
	// ErrFull is a full queue: 429.
	ErrFull = errors.New("too much at once")
	// ErrNotReady is a daemon that cannot answer yet: 503.
	ErrNotReady = errors.New("not ready")
)

// Daemon is what the server shows and feeds. Its methods are called from many
// goroutines at once.
type Daemon interface {
	// Live returns nil while every stage keeps its time, else the one that is
	// late.
	Live() error
	// Ready returns nil while decisions, or samples without a model, are fresh,
	// else why not.
	Ready() error
	// Status describes the daemon now. The caller only reads it.
	Status() Status
	// Push takes p in as a whole or, with an error, not at all. p belongs to the
	// daemon from then on.
	Push(p *Push) error
	// Decide takes p in as Push does, decides at once, before anything else can
	// come in between, and copies the Result to dst. p may be empty.
	Decide(p *Push, dst *result.Result) error
	// Model describes the loaded model. The caller only reads it.
	Model() (*Model, error)
	// Fuse runs the model once on input, in the form of a model's input file, and
	// returns the output file. It changes nothing that decisions depend on.
	Fuse(input *safetensors.File) (*safetensors.File, error)
	// Reload reads the configuration again and puts it in force, or says with an
	// error what is wrong with it and leaves all as it was.
	Reload() error
	// Label writes a label into the recording, and returns once it is as safe as
	// the configuration asks.
	Label(ctx context.Context, l *Label) error
	// Record starts or stops the recording.
	Record(on bool) error
	// Flight lets what is kept in memory of the last minutes be written.
	Flight(reason string) error
	// Attention says where the newest answer looked. The caller owns it.
	Attention() (*Attention, error)
	// Recordings lists the files of recordings, the newest first.
	Recordings() ([]Recording, error)
	// OpenRecording opens a file that is no longer written to. The caller closes it.
	OpenRecording(name string) (*os.File, error)
	// ViewRecording calls emit with JSON objects: what v asks for of a recording, which
	// may still be written to. A line is emit's until it returns.
	ViewRecording(ctx context.Context, name string, v *RecordingView, emit func(line []byte) error) error
	// AttentionThen says where an answer looked that a recording holds, computed again
	// by the loaded model. at is the time of its Result, to the millisecond. The caller
	// owns it.
	AttentionThen(ctx context.Context, name string, at time.Time) (*Attention, error)
	// WriteMetrics writes the daemon's metrics in Prometheus text form.
	WriteMetrics(w io.Writer)
}
