package ragedge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module  = "github.com/ragedge/ragedge"
	command = module + "/cmd/ragedge"
)

// rooms names, for every folder with Go code, the folders of this module that
// the code may import; "." is the root. Test files are free. Nothing but the
// root and the test suite of the kernels knows package kernel.
var rooms = map[string][]string{
	"kernel":               {},
	"kernel/kerneltest":    {"kernel"},
	".":                    {"kernel"},
	"asm":                  {},
	"safetensors":          {},
	"result":               {},
	"fusion":               {".", "safetensors"},
	"encoder":              {"."},
	"train":                {".", "fusion", "encoder", "result", "safetensors"},
	"bench":                {".", "fusion", "safetensors"},
	"bench/peers/protocol": {},
	"bench/peers/worker":   {".", "fusion", "bench/peers/protocol"},
	"bench/peers/cold":     {"fusion"},
	"tasks/sortofclevr":    {"safetensors"},
	"tasks/run":            {"train", "daemon"},
	"systemd/man":          {},
	"daemon/record":        {"encoder", "result"},
	"daemon/mqtt":          {"daemon/secret"},
	"daemon/sensor":        {"encoder", "daemon/mqtt", "daemon/record", "daemon/spool"},
	"daemon/sink":          {"encoder", "daemon/mqtt", "daemon/record", "daemon/secret", "result"},
	"daemon/secret":        {},
	"daemon/spool":         {},
	"daemon/api":           {"encoder", "result", "safetensors", "daemon/secret"},
	"daemon":               {"fusion", "encoder", "result", "safetensors", "daemon/mqtt", "daemon/record", "daemon/sensor", "daemon/sink", "daemon/spool", "daemon/api"},
	"daemon/doctor":        {"result", "daemon", "daemon/sensor", "daemon/sink", "daemon/api"},
	"cmd/ragedge":          {".", "fusion", "encoder", "result", "safetensors", "bench", "train", "daemon", "daemon/sensor", "daemon/sink", "daemon/api", "daemon/doctor"},
}

// A ban keeps packages out of everything that from pulls in. The pattern is an
// import path, or a path and "/..." for it and all below it.
type ban struct{ from, pattern, reason string }

var bans = []ban{
	{command, "runtime/cgo", "the binary is static and cross-compiles without a C toolchain"},
	{command, "testing/...", "test code does not belong in the product"},
	{command, "html/template/...", "a template engine calls methods by name, so the linker keeps every exported method"},
	{command, "github.com/alecthomas/kong/...", "calls methods by name: 3 MB of binary and 2 MiB of memory; the command line is cobra"},
	{command, "github.com/prometheus/...", "four times the memory of VictoriaMetrics/metrics"},
	{command, "gopkg.in/yaml.v2/...", "the configuration is TOML"},
	{command, "gopkg.in/yaml.v3/...", "the configuration is TOML"},
	{command, "go.yaml.in/yaml/...", "the configuration is TOML"},
	{command, "sigs.k8s.io/yaml/...", "the configuration is TOML"},
	{command, "github.com/goccy/go-yaml/...", "the configuration is TOML"},
	{command, "periph.io/x/host/v3", "the umbrella package maps /dev/mem; import gpioioctl and sysfs"},
	{command, "periph.io/x/host/v3/bcm283x/...", "maps /dev/mem; import gpioioctl and sysfs"},
	{command, "periph.io/x/host/v3/pmem/...", "maps /dev/mem; import gpioioctl and sysfs"},
	{command, "github.com/mmcloughlin/avo/...", "writes assembly: belongs in gen"},
	{command, "golang.org/x/arch/...", "decodes assembly: belongs in tests"},
	{command, "github.com/stretchr/testify/...", "belongs in tests"},
	{command, "pgregory.net/rapid/...", "belongs in tests"},
	{command, "github.com/mochi-mqtt/...", "a broker: belongs in tests"},
	{command, "github.com/foxglove/mcap/...", "half a megabyte of compressors; daemon/record has its own codec, tested against it"},
	{module + "/daemon", module + "/train/...", "training runs as a process of its own"},
}

func TestTreeImports(t *testing.T) {
	for _, wrong := range wrongArrows(readImports(t, "."), rooms) {
		t.Error(wrong)
	}
}

func TestTreeDependencies(t *testing.T) {
	for _, arch := range []string{"arm64", "amd64"} {
		t.Run(arch, func(t *testing.T) {
			static := listDeps(t, arch, "CGO_ENABLED=0")
			require.Contains(t, static, module+"/daemon", "the command does not contain the daemon")
			for _, found := range banned(static, bans) {
				t.Error(found)
			}
			for _, user := range cgoUsers(listDeps(t, arch, "CGO_ENABLED=1")) {
				t.Error(user)
			}
		})
	}
}

// wrongArrows returns a sentence for every import that the rooms do not allow,
// for every folder without a row, and for every row without a folder.
func wrongArrows(graph, rooms map[string][]string) []string {
	var wrong []string
	for _, folder := range slices.Sorted(maps.Keys(graph)) {
		allowed, known := rooms[folder]
		if !known {
			wrong = append(wrong, fmt.Sprintf("folder %s: no row in rooms says what it may import", folder))
			continue
		}
		for _, to := range graph[folder] {
			if !slices.Contains(allowed, to) {
				wrong = append(wrong, fmt.Sprintf("folder %s imports %s: it may import only %q", folder, to, allowed))
			}
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(rooms)) {
		if _, exists := graph[folder]; !exists {
			wrong = append(wrong, fmt.Sprintf("row %s in rooms: the folder has no Go code", folder))
		}
	}
	return wrong
}

// readImports maps every folder of the module at root to the folders of the
// module that its Go files import. It reads all files but tests, whatever their
// build constraints, and leaves out nested modules.
func readImports(t *testing.T, root string) map[string][]string {
	graph := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if path != root && (err == nil || name == "testdata" || strings.HasPrefix(name, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(rel)
		imports := graph[folder]
		for _, spec := range file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if to == module {
				imports = append(imports, ".")
			} else if inside, ok := strings.CutPrefix(to, module+"/"); ok {
				imports = append(imports, inside)
			}
		}
		slices.Sort(imports)
		graph[folder] = slices.Compact(imports)
		return nil
	})
	require.NoError(t, err)
	return graph
}

// dependency is what go list says of one package of a build.
type dependency struct {
	ImportPath string
	Standard   bool
	Imports    []string
	CgoFiles   []string
}

// listDeps returns every package in the command's build for linux on arch, by
// import path.
func listDeps(t *testing.T, arch, cgo string) map[string]dependency {
	list := goTool(t, arch, "list", "-deps", "-json=ImportPath,Standard,Imports,CgoFiles", "./cmd/ragedge")
	list.Env = append(list.Env, cgo)
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	require.NoError(t, err, "%s: %s", list, &stderr)

	deps := map[string]dependency{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var d dependency
		if err := dec.Decode(&d); errors.Is(err, io.EOF) {
			return deps
		} else {
			require.NoError(t, err)
		}
		deps[d.ImportPath] = d
	}
}

// banned returns, for every package that a ban keeps out and that is in all the
// same, the chain of imports that brings it in.
func banned(deps map[string]dependency, bans []ban) []string {
	var found []string
	for _, b := range bans {
		importer := map[string]string{b.from: ""}
		for queue := []string{b.from}; len(queue) > 0; queue = queue[1:] {
			from := queue[0]
			if from != b.from && matches(b.pattern, from) {
				found = append(found, fmt.Sprintf("%s: %s", chain(importer, from), b.reason))
				continue
			}
			for _, to := range deps[from].Imports {
				if _, seen := importer[to]; !seen {
					importer[to] = from
					queue = append(queue, to)
				}
			}
		}
	}
	return found
}

func matches(pattern, path string) bool {
	tree, below := strings.CutSuffix(pattern, "/...")
	return path == tree || below && strings.HasPrefix(path, tree+"/")
}

// chain walks from a node up to the one without a parent: "top → … → node".
func chain(parent map[string]string, node string) string {
	path := node
	for up := parent[node]; up != ""; up = parent[up] {
		path = up + " → " + path
	}
	return path
}

// cgoUsers returns the packages outside the standard library that would use
// cgo if it were on. The standard library has a pure Go form of each of its own.
func cgoUsers(deps map[string]dependency) []string {
	var users []string
	for _, path := range slices.Sorted(maps.Keys(deps)) {
		if d := deps[path]; !d.Standard && len(d.CgoFiles) > 0 {
			users = append(users, fmt.Sprintf("%s uses cgo in %q", path, d.CgoFiles))
		}
	}
	return users
}

func TestWrongArrows(t *testing.T) {
	rooms := map[string][]string{"kernel": {}, ".": {"kernel"}, "daemon": {"."}}
	for _, tc := range []struct {
		name  string
		graph map[string][]string
		want  []string
	}{
		{"as planned", map[string][]string{"kernel": {}, ".": {"kernel"}, "daemon": {"."}}, nil},
		{"kernel from the daemon", map[string][]string{"kernel": {}, ".": {"kernel"}, "daemon": {".", "kernel"}},
			[]string{`folder daemon imports kernel: it may import only ["."]`}},
		{"downwards", map[string][]string{"kernel": {"daemon"}, ".": {}, "daemon": {}},
			[]string{`folder kernel imports daemon: it may import only []`}},
		{"unknown folder", map[string][]string{"kernel": {}, ".": {}, "daemon": {}, "util": {}},
			[]string{"folder util: no row in rooms says what it may import"}},
		{"row without a folder", map[string][]string{"kernel": {}, ".": {}},
			[]string{"row daemon in rooms: the folder has no Go code"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, wrongArrows(tc.graph, rooms))
		})
	}
}

func TestReadImports(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"go.mod":               "module " + module,
		"a/one.go":             `package a; import ("fmt"; "` + module + `/b")`,
		"a/two_arm64.go":       `//go:build never` + "\n\n" + `package a; import k "` + module + `"`,
		"a/a_test.go":          `package a; import "` + module + `/kernel"`,
		"a/testdata/x/x.go":    `package x; import "` + module + `/kernel"`,
		".hidden/x.go":         `package x; import "` + module + `/kernel"`,
		"gen/go.mod":           "module " + module + "/gen",
		"gen/main.go":          `package main; import "` + module + `/kernel"`,
		"b/deep/er/nothing.go": `package er`,
		"c/c_test.go":          `package c`,
	} {
		path = filepath.Join(root, filepath.FromSlash(path))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	require.Equal(t, map[string][]string{"a": {".", "b"}, "b/deep/er": nil}, readImports(t, root))
}

func TestBanned(t *testing.T) {
	deps := map[string]dependency{
		"cmd":       {Imports: []string{"os", "daemon"}},
		"daemon":    {Imports: []string{"chips", "host/sysfs"}},
		"chips":     {Imports: []string{"host", "cmd/train"}},
		"cmd/train": {Imports: []string{"yaml/v3"}},
	}
	for _, tc := range []struct {
		ban  ban
		want []string
	}{
		{ban{"cmd", "host", "maps memory"}, []string{"cmd → daemon → chips → host: maps memory"}},
		{ban{"cmd", "yaml/...", "no"}, []string{"cmd → daemon → chips → cmd/train → yaml/v3: no"}},
		{ban{"cmd", "host/...", "no"}, []string{"cmd → daemon → host/sysfs: no", "cmd → daemon → chips → host: no"}},
		{ban{"chips", "cmd/...", "no"}, []string{"chips → cmd/train: no"}},
		{ban{"cmd", "host/sys", "only whole path elements count"}, nil},
		{ban{"cmd", "hos/...", "only whole path elements count"}, nil},
		{ban{"chips", "os", "not below chips"}, nil},
	} {
		require.Equal(t, tc.want, banned(deps, []ban{tc.ban}), "%v", tc.ban)
	}
}

func TestCgoUsers(t *testing.T) {
	require.Equal(t, []string{`b uses cgo in ["b.go"]`}, cgoUsers(map[string]dependency{
		"a":   {},
		"b":   {ImportPath: "b", CgoFiles: []string{"b.go"}},
		"net": {Standard: true, CgoFiles: []string{"cgo_unix.go"}},
	}))
}
