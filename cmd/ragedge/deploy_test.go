package main

import (
	"bytes"
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// quickRoom is the room's model with ticks of this length, a note that tells it
// from others, and the projection of the light levels multiplied.
func quickRoom(t *testing.T, tick, note string, factor float32) []byte {
	file, err := safetensors.ReadFile("room/room.safetensors")
	require.NoError(t, err)
	features := file.Metadata["features"]
	file.Metadata["features"] = strings.Replace(features, `"tick":"30s"`, `"tick":"`+tick+`"`, 1)
	require.NotEqual(t, features, file.Metadata["features"])
	file.Metadata["note"] = note
	for i, tensor := range file.Tensors {
		if tensor.Name == "project.light.weight" {
			values, err := tensor.Float32s()
			require.NoError(t, err)
			for k := range values {
				values[k] *= factor
			}
			file.Tensors[i] = safetensors.NewFloat32(tensor.Name, values, tensor.Shape...)
		}
	}
	data, err := file.Bytes()
	require.NoError(t, err)
	return data
}

// site is a running daemon with a model that answers ten times a second.
type site struct {
	dir, config string
	client      *apiClient
}

func newSite(t *testing.T) *site {
	s := &site{dir: t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "models"), 0o755))
	s.put(t, "models/room.safetensors", quickRoom(t, "100ms", "first", 1))
	s.put(t, "ragedge.toml", []byte("[agent]\nmodel = \"room.safetensors\"\nmodel_directory = \"models\"\n[api]\nlisten = [\"unix:"+s.dir+"/api.sock\"]\n"))
	s.config = filepath.Join(s.dir, "ragedge.toml")
	var err error
	s.client, err = newAPIClient(api.Config{Listen: []string{"unix:" + s.dir + "/api.sock"}})
	require.NoError(t, err)
	return s
}

func (s *site) put(t *testing.T, name string, text []byte) string {
	path := filepath.Join(s.dir, name)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

func (s *site) read(t *testing.T, name string) []byte {
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	require.NoError(t, err)
	return text
}

// run starts the daemon, lets it see light, and waits until it answers.
func (s *site) run(t *testing.T, flags ...string) {
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, append([]string{"run", "--config", s.config}, flags...), &log, &log) }()
	t.Cleanup(func() {
		cancel()
		require.Zero(t, <-ended, "%s", &log)
	})
	s.wait(t, func(*api.Status) bool { return true })
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.client.socket)
	}}}
	defer client.CloseIdleConnections()
	reply, err := client.Post("http://ragedge/v1/regions", "application/json",
		strings.NewReader(`{"ttl_s":600,"regions":{"light":[[1e6,1e6,1e6,1e6]]}}`))
	require.NoError(t, err)
	require.Equal(t, 200, reply.StatusCode)
	s.wait(t, func(now *api.Status) bool { return now.Answered > 0 })
}

// wait waits until the daemon's status is as it should be.
func (s *site) wait(t *testing.T, ok func(*api.Status) bool) (last api.Status) {
	t.Helper()
	require.Eventually(t, func() bool {
		now, err := s.client.status(t.Context())
		last = now
		return err == nil && ok(&now)
	}, 20*time.Second, 5*time.Millisecond)
	return last
}

// tidy says that nothing is in the directory of models but these.
func (s *site) tidy(t *testing.T, names ...string) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "models"))
	require.NoError(t, err)
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
	}
	require.Equal(t, names, found)
}

func digestOf(t *testing.T, model []byte) string {
	m, err := fusion.Parse(model)
	require.NoError(t, err)
	return m.Digest
}

func TestDeploy(t *testing.T) {
	s := newSite(t)
	second := quickRoom(t, "100ms", "second", 1)
	file := s.put(t, "second.safetensors", second)
	const model, previous = "models/room.safetensors", "models/room.safetensors.previous"
	first := s.read(t, model)

	code, _, stderr := try(t, "deploy", file, "--config", s.config)
	require.Equal(t, exitTryAgain, code)
	require.Contains(t, stderr, "no daemon answers at "+s.client.socket)
	s.tidy(t, "room.safetensors")

	s.run(t)
	code, stdout, stderr := try(t, "deploy", file, "--config", s.config)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "in force: "+digestOf(t, second))
	require.Equal(t, digestOf(t, second), s.wait(t, func(*api.Status) bool { return true }).Model.Digest)
	require.Equal(t, second, s.read(t, model))
	require.Equal(t, first, s.read(t, previous))
	info, err := os.Stat(filepath.Join(s.dir, model))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o640), info.Mode())

	for _, c := range []struct {
		name  string
		model []byte
		code  int
		want  string
	}{
		{"cut", second[:300], exitData, "bad.safetensors"},
		{"fails on what is there", quickRoom(t, "100ms", "x", 1e37), exitFailed, "self-check"},
		{"answers too late", quickRoom(t, "1h", "x", 1), exitTryAgain, "no answer of the model in 300ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := s.put(t, "bad.safetensors", c.model)
			code, _, stderr := try(t, "deploy", bad, "--config", s.config, "--timeout", "300ms")
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stderr, c.want)
			require.True(t, bytes.Equal(second, s.read(t, model)), "the old one is back")
			before := s.wait(t, func(*api.Status) bool { return true })
			require.Equal(t, digestOf(t, second), before.Model.Digest)
			s.wait(t, func(now *api.Status) bool { return now.Answered > before.Answered })
		})
	}
	s.tidy(t, "room.safetensors")
}

// TestDeployInterrupted: who breaks it off is not told that the model did not answer in
// time, and the old one comes back.
func TestDeployInterrupted(t *testing.T) {
	s := newSite(t)
	s.run(t)
	first := s.read(t, "models/room.safetensors")
	file := s.put(t, "late.safetensors", quickRoom(t, "1h", "x", 1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs lockedBuffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"deploy", file, "--config", s.config, "--timeout", "1h"}, &out, &errs)
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "waiting up to 1h0m0s") }, 20*time.Second, 5*time.Millisecond)
	cancel()
	require.Equal(t, exitFailed, <-ended)
	require.Contains(t, errs.String(), "interrupted before the model answered")
	require.Contains(t, out.String(), "the old model is back")
	require.Equal(t, first, s.read(t, "models/room.safetensors"))
}

// TestDeployFirst: where there was no model before, one that does not answer in time
// stays: a daemon without the file of its configuration does not start.
func TestDeployFirst(t *testing.T) {
	s := newSite(t)
	require.NoError(t, os.Remove(filepath.Join(s.dir, "models/room.safetensors")))
	named := s.read(t, "ragedge.toml")
	s.put(t, "ragedge.toml", append([]byte("[[sensor]]\nalias = \"p\"\ntype = \"push\"\nchannels = { S1_Light = \"S1_Light\" }\n"),
		named[bytes.Index(named, []byte("[api]")):]...))
	stop := s.start(t)
	defer func() { stop() }()
	_, err := s.client.exchange(t.Context(), "POST", "/v1/regions", []byte(`{"samples":[{"channel":"S1_Light","value":1}]}`))
	require.NoError(t, err)
	s.wait(t, func(now *api.Status) bool { return now.State != api.StateDown })
	s.put(t, "ragedge.toml", named)
	model := quickRoom(t, "1h", "first", 1)

	code, stdout, stderr := try(t, "deploy", s.put(t, "new.safetensors", model), "--config", s.config, "--timeout", "300ms")
	require.Equal(t, exitTryAgain, code, stderr)
	require.Contains(t, stderr, "no answer of the model in 300ms")
	require.Contains(t, stdout, "there was no model before: "+s.dir+"/models/room.safetensors stays")
	require.NotContains(t, stdout+stderr, "back")
	require.Equal(t, model, s.read(t, "models/room.safetensors"))
	s.tidy(t, "room.safetensors")
	stop()

	stop = s.start(t)
	require.Equal(t, digestOf(t, model), s.wait(t, func(*api.Status) bool { return true }).Model.Digest)
}

func TestDeployUsage(t *testing.T) {
	s := newSite(t)
	code, _, stderr := try(t, "deploy", "--config", s.config)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "the model file")
	s.put(t, "ragedge.toml", []byte("[api]\nlisten = []\n"))
	code, _, stderr = try(t, "deploy", "x", "--config", s.config)
	require.Equal(t, exitConfig, code)
	require.Contains(t, stderr, "api.listen")
}

// TestRow62BadHangup: a SIGHUP with a bad configuration changes nothing and says so, the
// good one after it comes into force.
func TestRow62BadHangup(t *testing.T) {
	s := newSite(t)
	s.run(t)
	good := s.read(t, "ragedge.toml")
	s.put(t, "ragedge.toml", append(good, "[agent]\n"...))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	now := s.wait(t, func(now *api.Status) bool { return now.Config.Failed == 1 })
	require.Equal(t, api.StateDegraded, now.State)
	require.Contains(t, now.Config.LastError, s.config+": 6:")
	s.wait(t, func(later *api.Status) bool { return later.Answered > now.Answered+2 })

	s.put(t, "ragedge.toml", append(good, "[[sensor]]\nalias = \"p\"\ntype = \"push\"\nchannels = { x = \"x\" }\n"...))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	now = s.wait(t, func(now *api.Status) bool { return now.Config.Reloads == 2 })
	require.Empty(t, now.Config.LastError)
	require.Len(t, now.Sensors, 1)
}
