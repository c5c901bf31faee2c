//go:build unix

package safetensors

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadFileKinds opens what is no regular file. None may block, and none may
// be read.
func TestReadFileKinds(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, sample().WriteFile(at("real"), 0o600))
	require.NoError(t, os.Symlink("real", at("link")))
	require.NoError(t, os.Symlink("nothing", at("dangling")))
	require.NoError(t, os.Symlink("loop", at("loop")))
	require.NoError(t, syscall.Mkfifo(at("fifo"), 0o600))

	for _, name := range []string{"link", "dangling", "loop"} {
		_, err := ReadFile(at(name))
		require.ErrorContains(t, err, "symbolic link")
		require.ErrorIs(t, err, ErrFormat)
	}
	for _, path := range []string{dir, at("fifo"), os.DevNull} {
		_, err := ReadFile(path)
		require.ErrorContains(t, err, "no regular file")
		require.ErrorIs(t, err, ErrFormat)
	}

	listener, err := net.Listen("unix", at("socket"))
	require.NoError(t, err)
	defer listener.Close()
	_, err = ReadFile(at("socket"))
	require.Error(t, err)
}
