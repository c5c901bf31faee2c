package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/stretchr/testify/require"
)

// reader is where somebody who follows a page works, with the files that the page takes
// for granted, and what else they do before some of its commands, by their beginnings.
type reader struct {
	page   string
	board  []byte // the configuration of the daemon
	dir    string // empty: a folder with the files
	files  map[string][]byte
	before map[string]func()
}

// sampled is a configuration with a sensor that answers on every machine in the place of
// the first one of a type.
func sampled(t *testing.T, config, kind string) string {
	before, rest, found := strings.Cut(config, "type = \""+kind+"\"\n")
	require.True(t, found, kind)
	channel := regexp.MustCompile(`channels = \{ (\w+) = .*`).FindStringSubmatch(rest)
	end := strings.Index(rest, channel[0])
	return before + `type = "exec"
command = ["/bin/sh", "-c", "while echo '{\"` + channel[1] + `\":20.5}'; do sleep 0.05; done"]
` + rest[end:]
}

// shortTask is a task whose training takes a moment, on a recording.
const shortTask = `
[train]
strategies = ["gate"]
widths = [8]
baselines = false
epochs = 1
`

// reader prepares the one of a page.
func (s *sandbox) reader(t *testing.T, page string) *reader {
	recorded := s.read(t, labelled)
	r := &reader{page: page, board: s.read(t, standardConfig), files: map[string][]byte{
		"ragedge.toml":        append(s.read(t, standardConfig), "[train]\nepochs = 3\n"...),
		"room.toml":           []byte(s.replayed(t, true) + shortTask),
		"room.safetensors":    mustRead(t, "room/room.safetensors"),
		"recordings/one.mcap": recorded,
		"monday.mcap":         recorded,
		"monday.csv":          s.read(t, "named.csv"),
	}}
	name := strings.TrimPrefix(page, "../../")
	if prepare := readers[name]; prepare != nil {
		prepare(t, s, r)
	}
	if r.dir == "" {
		r.dir = s.folder(t, strings.ReplaceAll(name, "/", "-"), r.files)
	}
	return r
}

// readers are those that need something else than all others.
var readers = map[string]func(*testing.T, *sandbox, *reader){
	"README.md": func(t *testing.T, _ *sandbox, r *reader) {
		text := block(t, r.page, "[[sensor]]") + block(t, r.page, "[[sink]]") + block(t, r.page, "[api]")
		r.files["ragedge.toml"] = []byte(sampled(t, text, "i2c") + "[features]\ntick = \"300ms\"\n")
	},
	"docs/api.md": func(t *testing.T, s *sandbox, r *reader) {
		if _, err := exec.LookPath("openssl"); err != nil {
			t.Skip("no openssl")
		}
		r.dir = filepath.Join(s.dir, "etc/ragedge") // files belong to the configuration
		s.comesBack(t, standardConfig)
		r.before = map[string]func(){"curl --cacert": func() {
			others, _, _ := strings.Cut(string(r.board), "[api]\n")
			s.put(t, standardConfig, []byte(others+s.inside(t, block(t, r.page, "[api]"))))
			s.reload(t)
		}}
	},
	"docs/collecting.md": func(t *testing.T, _ *sandbox, r *reader) {
		text := sampled(t, string(mustRead(t, "../../examples/collect.toml")), "hwmon")
		r.files["collect.toml"] = []byte(strings.Replace(text, `tick = "10s"`, `tick = "300ms"`, 1))
	},
	"docs/doctor.md": func(t *testing.T, _ *sandbox, r *reader) {
		r.files["systemd/60-ragedge.rules"] = mustRead(t, "../../systemd/60-ragedge.rules")
	},
	"docs/jetson.md": func(t *testing.T, s *sandbox, _ *reader) {
		s.comesBack(t, deployed)
		s.put(t, deployed, pictures(t))
		s.reload(t)
	},
	"docs/raspberry-pi.md": readsRaspberryPi,
	"docs/recording.md": func(t *testing.T, s *sandbox, r *reader) {
		r.files["ragedge.toml"] = []byte(s.replayed(t, false)) // that of the run that was recorded
		files, err := filepath.Glob(filepath.Join(s.dir, unlabelled+"*"))
		require.NoError(t, err)
		for _, f := range files {
			r.files[filepath.Base(f)] = mustRead(t, f)
		}
	},
	"systemd/README.md": func(t *testing.T, s *sandbox, r *reader) { // in that folder, with the binary one up
		files, err := filepath.Glob("../../systemd/*.*")
		require.NoError(t, err)
		for _, f := range files {
			r.files[filepath.Base(f)] = mustRead(t, f)
		}
		s.put(t, "home/ragedge", []byte("the binary"))
	},
}

// readsRaspberryPi begins with the configuration of the package, and adds what the page
// says when it does.
func readsRaspberryPi(t *testing.T, s *sandbox, r *reader) {
	s.comesBack(t, standardConfig)
	config := sampled(t, string(mustRead(t, "../../systemd/deb/ragedge.toml")), "hwmon")
	add := func(text string) {
		config += s.inside(t, text)
		s.put(t, standardConfig, []byte(config))
	}
	add("[api]\nlisten = [\"unix:/run/ragedge/api.sock\"]\n")
	s.reload(t)
	r.before = map[string]func(){
		`ragedge label "somebody`: func() {
			add(block(t, r.page, "[record]") + "directory = \"/var/lib/ragedge/recordings\"\ndurable = \"record\"\n")
			s.reload(t)
			s.wait(t, func(now *api.Status) bool { return now.Record != nil && now.Record.Records > 5 })
		},
		"ragedge deploy": func() {
			add(block(t, r.page, "[agent]") + "model_directory = \"/var/lib/ragedge/models\"\ntrigger = \"push\"\n")
		},
		"curl": func() { s.wait(t, func(now *api.Status) bool { return now.Answered > 0 }) },
	}
}

// comesBack puts a file of the daemon back at the end of the page.
func (s *sandbox) comesBack(t *testing.T, name string) {
	text := s.read(t, name)
	t.Cleanup(func() {
		s.put(t, name, text)
		s.reload(t)
	})
}

// block is the configuration in a page that begins so.
func block(t *testing.T, page, beginning string) string {
	for _, p := range paragraphs(page, pages(t)[page]) {
		if p.configuration() && strings.HasPrefix(p.lines[0], beginning) {
			return strings.Join(p.lines, "\n") + "\n"
		}
	}
	require.Fail(t, "no such block", beginning)
	return ""
}

// pictures is the room's model with a modality image in the place of motion.
func pictures(t *testing.T) []byte {
	f := readTensors(t, "room/room.safetensors")
	for key, value := range f.Metadata {
		f.Metadata[key] = strings.ReplaceAll(value, `"motion"`, `"image"`)
	}
	for i := range f.Tensors {
		f.Tensors[i].Name = strings.ReplaceAll(f.Tensors[i].Name, "motion", "image")
	}
	out, err := f.Bytes()
	require.NoError(t, err)
	return out
}
