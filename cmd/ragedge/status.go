package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/daemon/api"
	"github.com/spf13/cobra"
)

const statusHelp = `Asks the running daemon how it is: the newest answer and why, every sensor, every
output, the recording, memory and power. With --watch the view stays and is drawn
anew, and waits for a daemon that restarts; ctrl-c ends it.

--json prints what GET /v1/status says, with the newest Result under "result".

It needs the daemon's Unix socket: join the group ragedge. Exit codes, as monitoring
plugins have them: 0 all is well · 1 degraded: answers go on, something is missing ·
2 down: no answers, no daemon, or no permission to ask it · 3 unknown: the
configuration that names the socket cannot be read. --watch ends with 0.`

// Exit codes of the status command.
const (
	statusOK = iota
	statusDegraded
	statusDown
	statusUnknown
)

// verdict is the exit code of a command that judges, and has said why itself.
type verdict int

func (verdict) Error() string { return "" }

func newStatus() *cobra.Command {
	var files configFiles
	var asJSON, watch bool
	var interval time.Duration
	c := &cobra.Command{
		Use:     "status",
		Short:   "How the running daemon is, for people and for monitoring",
		Long:    statusHelp,
		Example: "  ragedge status\n  ragedge status --watch\n  ragedge status --json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if interval < minWatch {
				return usageError{fmt.Errorf("--interval %v: want at least %v", interval, minWatch)}
			}
			client, err := files.client(c)
			if err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "ragedge: %v\n", err)
				return verdict(statusUnknown)
			}
			out := c.OutOrStdout()
			if watch {
				w := newWatcher(client, out, interval)
				w.asJSON = asJSON
				return w.run(c.Context())
			}
			r := ask(c.Context(), client)
			if asJSON {
				err = r.writeJSON(out)
			} else {
				err = printLines(out, newPanel(out).lines(r))
			}
			if err != nil {
				return err
			}
			return r.verdict()
		},
	}
	files.registerStandard(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object; with --watch one in a line, again and again")
	c.Flags().BoolVar(&watch, "watch", false, "stay, and draw the view anew")
	c.Flags().DurationVar(&interval, "interval", time.Second, "how often --watch draws")
	return c
}

// client returns one for the daemon that the configuration describes.
func (f *configFiles) client(c *cobra.Command) (*apiClient, error) {
	config, err := f.load(c)
	if err != nil {
		return nil, err
	}
	return newAPIClient(config.API)
}

// condition is what the daemon said of itself at one moment, or why it did not.
type condition struct {
	api.Status
	// Result is the newest one; nil while there is none.
	Result *decision

	degraded       []string // everything that is not as it should be, where the daemon lists it
	status, result []byte   // as the daemon wrote them
	silent         error    // nothing came
}

// askTime bounds one question to the daemon.
const askTime = 5 * time.Second

// ask asks for the status and the newest Result.
func ask(ctx context.Context, client *apiClient) *condition {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	r := &condition{}
	if r.status, r.silent = client.get(ctx, "/v1/status"); r.silent == nil {
		r.silent = json.Unmarshal(r.status, &r.Status)
	}
	if r.silent != nil {
		// "try again" is for scripts.
		reason := strings.TrimPrefix(r.silent.Error(), daemon.ErrTryAgain.Error()+": ")
		r.Status = api.Status{State: api.StateDown, Reason: reason}
		return r
	}
	var more struct{ Degraded []string }
	if json.Unmarshal(r.status, &more) == nil {
		r.degraded = more.Degraded
	}
	// Before the first Result the daemon refuses, which is no fault.
	if result, err := client.get(ctx, "/v1/result"); err == nil {
		r.take(result)
	}
	return r
}

// take makes a Result the newest. One that cannot be read counts for none.
func (r *condition) take(result []byte) {
	a := new(decision)
	if json.Unmarshal(result, a) == nil {
		r.Result, r.result = a, bytes.TrimSpace(result)
	}
}

// verdict is nil when all is well.
func (r *condition) verdict() error {
	switch r.State {
	case api.StateUp:
		return nil
	case api.StateDown:
		return verdict(statusDown)
	}
	return verdict(statusDegraded)
}

// writeJSON writes what the daemon wrote, keys that this build does not know
// included, and the Result.
func (r *condition) writeJSON(w io.Writer) error {
	status := bytes.TrimSpace(r.status)
	if r.silent != nil {
		var err error
		if status, err = json.Marshal(map[string]string{"state": r.State, "reason": r.Reason}); err != nil {
			return err
		}
	}
	if r.result != nil {
		status = fmt.Appendf(bytes.TrimSuffix(status, []byte("}")), `,"result":%s}`, r.result)
	}
	_, err := fmt.Fprintf(w, "%s\n", status)
	return err
}
