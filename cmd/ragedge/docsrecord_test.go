package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	recordings = "var/lib/ragedge/recordings/"
	labelled   = recordings + "20260502T080000Z-0001.labels.mcap"
	unlabelled = recordings + "20260501T120000Z-"
)

// record makes recordings of the room before the daemon runs: some files of one run, and
// one of another with labels.
func (s *sandbox) record(t *testing.T) {
	rows := strings.Join(strings.SplitAfter(string(mustRead(t, "room/room-demo.csv")), "\n")[:520], "") // enough for two files, however slow this machine is
	for number, name := range []string{"empty", "1 person", "2 people", "3 people"} {
		rows = regexp.MustCompile(fmt.Sprintf("(?m),%d\r?$", number)).ReplaceAllString(rows, ","+name)
	}
	s.put(t, "named.csv", []byte(rows))
	const records = "[record]\nwhen = \"always\"\nsegment_bytes = %d\ndirectory = \"made\"\n"
	for _, c := range []struct {
		labels bool
		size   int
		run    string
	}{{true, 16 << 20, "20260502T080000Z"}, {false, 256 << 10, "20260501T120000Z"}} {
		config := s.put(t, "made.toml", fmt.Appendf(nil, s.replayed(t, c.labels)+records, c.size))
		code, _, errs := try(t, "run", "--config", config)
		require.Zero(t, code, errs)
		files, err := filepath.Glob(s.dir + "/made/*.mcap")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, f := range files {
			_, number, _ := strings.Cut(filepath.Base(f), "-")
			require.NoError(t, os.Rename(f, filepath.Join(s.dir, recordings, c.run+"-"+number)))
		}
	}
}

// replayed is the example of a replay, with labels in words or without any.
func (s *sandbox) replayed(t *testing.T, labels bool) string {
	text := strings.NewReplacer("../cmd/ragedge/room/room-demo.csv", s.dir+"/named.csv", "../cmd/ragedge", absolute(t, ".")).
		Replace(string(mustRead(t, "../../examples/replay.toml")))
	header, _, _ := strings.Cut(string(mustRead(t, "room/room-demo.csv")), "\n")
	columns := strings.Split(header, ",")
	channels := "channels = {"
	for i, c := range columns[2 : len(columns)-1] { // behind the time, before the label
		channels += strings.Repeat(",", min(i, 1)) + fmt.Sprintf(" %s = %[1]q", c)
	}
	text = strings.Replace(text, "\nfile = ", "\n"+channels+" }\nfile = ", 1)
	if !labels {
		text = strings.Replace(text, "\nlabel = ", "\n# label = ", 1)
	}
	return text
}
