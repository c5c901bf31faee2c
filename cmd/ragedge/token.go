package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/spf13/cobra"
)

const tokenHelp = `Makes a token for a client of the API, prints it once, and appends its hash to a
token file, which is all that the daemon keeps. Name the file in [api] token_file and
reload the daemon. Remove a line to lock its client out.

Clients send the token as Authorization: Bearer TOKEN; browsers ask for a password
and take it there, with any user name.`

func newToken() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:     "token NAME --file FILE",
		Short:   "Make a token for a client of the API",
		Long:    tokenHelp,
		Example: "  sudo ragedge token phone --file /etc/ragedge/api.tokens",
		Args:    oneArg("a name for the client, one word"),
		RunE: func(c *cobra.Command, args []string) error {
			if file == "" {
				return usageError{fmt.Errorf("--file is needed; see %s --help", c.CommandPath())}
			}
			return makeToken(c.OutOrStdout(), args[0], file)
		},
	}
	c.Flags().StringVar(&file, "file", "", "token `FILE` to append to, made if it is missing")
	return c
}

func makeToken(out io.Writer, name, file string) error {
	if !word(name) {
		return usageError{fmt.Errorf("%q is no name: use letters, digits, _ and -", name)}
	}
	token := rand.Text()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return err
	}
	if err := errors.Join(appendLine(f, api.TokenLine(name, token)), f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}

// appendLine begins a line of its own where an editor left the last one without an end.
func appendLine(f *os.File, line string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if last := make([]byte, 1); info.Mode().IsRegular() && info.Size() > 0 {
		if _, err := f.ReadAt(last, info.Size()-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = "\n" + line
		}
	}
	_, err = f.WriteString(line)
	return err
}

func word(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return false
		}
	}
	return s != ""
}
