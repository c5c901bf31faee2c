package ragedge_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// binaryLimit is the size in bytes that the stripped command may have on arm64.
// On a small board, size is resident memory. The file grows in steps of 64 KiB, one
// for each of its three segments.
const binaryLimit = 10_000_000

func TestTreeBinary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ragedge")
	flags, err := os.ReadFile("scripts/release-flags")
	require.NoError(t, err)
	dump := link(t, "arm64", ".", path, "./cmd/ragedge", strings.Split(strings.TrimSpace(string(flags)), "\n")...)
	require.True(t, strings.Contains(dump, "-> main.main"), "the linker did not print its dependencies")
	if path := methodsByName(dump); path != "" {
		t.Errorf("the linker keeps every exported method because of %s", path)
	}
	if size := tooLarge(t, path, binaryLimit); size != "" {
		t.Error(size)
	}
}

// methodsByName reads the linker's dependency dump. When a program may call a
// method by a name computed at run time, the linker must keep every exported
// method of every type. methodsByName returns the first path from the program's
// entry to such code, or to the walk of a text template, which cobra contains
// and only a program that sets a template of its own reaches.
func methodsByName(dump string) string {
	parent := map[string]string{}
	for line := range strings.Lines(dump) {
		from, to, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " -> ")
		if !ok {
			continue
		}
		name := dumpFlags.ReplaceAllString(to, "")
		parent[name] = dumpFlags.ReplaceAllString(from, "")
		if strings.HasSuffix(to, "<ReflectMethod>") || name == "text/template.(*state).walk" {
			return chain(parent, name)
		}
	}
	return ""
}

var (
	dumpFlags = regexp.MustCompile(` (<UsedInIface>)?(<ReflectMethod>)?$`)
	dumpLines = regexp.MustCompile(`(?m)^.* -> .*\n`)
)

func tooLarge(t *testing.T, path string, limit int64) string {
	info, err := os.Stat(path)
	require.NoError(t, err)
	if info.Size() <= limit {
		return ""
	}
	return fmt.Sprintf("%s is %d bytes, %d over the limit of %d", path, info.Size(), info.Size()-limit, limit)
}

// link builds the package in dir for linux on arch, stripped as for a release,
// into path, with other flags besides, and returns the linker's dependency dump.
func link(t *testing.T, arch, dir, path, pkg string, flags ...string) string {
	arguments := append([]string{"build"}, flags...)
	build := goTool(t, arch, append(arguments, "-ldflags=-s -w -dumpdep", "-o", path, pkg)...)
	build.Dir = dir
	out, err := build.CombinedOutput()
	dump := string(out)
	if err != nil {
		t.Fatalf("%s: %v\n%s", build, err, dumpLines.ReplaceAllString(dump, ""))
	}
	return dump
}

// goTool is the go command for linux on arch without cgo.
func goTool(t *testing.T, arch string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	return cmd
}

// TestTreeMethodsByName links programs that do and do not look up a method by
// name, so that a linker that words its dump differently is noticed.
func TestTreeMethodsByName(t *testing.T) {
	const program = `package main

import (
	"os"
	"reflect"
)

func main() { println(reflect.ValueOf(os.Stdout).%s) }
`
	for _, tc := range []struct{ call, want string }{
		{"NumMethod()", "^$"},
		{"MethodByName(os.Args[1]).IsValid()", "→ main.main$"},
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module program\n\ngo 1.26\n"), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), fmt.Appendf(nil, program, tc.call), 0o644))
		dump := link(t, "arm64", dir, filepath.Join(dir, "program"), ".")
		require.Regexp(t, tc.want, methodsByName(dump), tc.call)
	}
}

func TestTemplateWalk(t *testing.T) {
	dump := `# command
main.main -> github.com/spf13/cobra.(*Command).UsageFunc
github.com/spf13/cobra.(*Command).UsageFunc -> text/template.(*Template).Execute
text/template.(*Template).Execute -> type:*text/template.state <UsedInIface>
text/template.(*Template).Execute -> text/template.(*state).walk
`
	require.Equal(t, "main.main → github.com/spf13/cobra.(*Command).UsageFunc → text/template.(*Template).Execute → text/template.(*state).walk",
		methodsByName(dump))
}

func TestTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "binary")
	require.NoError(t, os.WriteFile(path, make([]byte, 12), 0o755))
	require.Empty(t, tooLarge(t, path, 12))
	require.Contains(t, tooLarge(t, path, 11), "is 12 bytes, 1 over the limit of 11")
}
