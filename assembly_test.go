package ragedge

import (
	"errors"
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/asm"
)

func TestTreeAssembly(t *testing.T) {
	r, err := asm.Check(os.DirFS("."))
	require.NoError(t, err)
	require.Empty(t, r.Problems)
	require.NotZero(t, r.Macros)
	require.NotZero(t, r.Calls)
	require.NotZero(t, r.Lines)
	require.NotZero(t, r.Returns)

	r, err = asm.Check(os.DirFS("kernel/kerneltest"))
	require.NoError(t, err)
	require.Empty(t, r.Problems)
	require.NotZero(t, r.Lines)
	require.NotZero(t, r.Returns)
}

// linuxPorts are the architectures that Go builds for Linux.
var linuxPorts = []string{
	"386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle",
	"ppc64", "ppc64le", "riscv64", "s390x",
}

// TestTreePurego lists the assembly of every package that has some: none may be left
// under the purego tag.
func TestTreePurego(t *testing.T) {
	folders := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".s") {
			folders[filepath.Dir(path)] = true
		}
		return err
	}))
	require.Contains(t, folders, ".")
	seen := 0
	for folder := range folders {
		for _, arch := range linuxPorts {
			seen += len(assemblyFiles(t, folder, arch))
			require.Empty(t, assemblyFiles(t, folder, arch, "purego"), "%s in %s", arch, folder)
		}
	}
	require.GreaterOrEqual(t, seen, 2, "assembly without the tag")
}

func assemblyFiles(t *testing.T, folder, arch string, tags ...string) []string {
	c := build.Default
	c.GOOS, c.GOARCH, c.BuildTags = "linux", arch, tags
	p, err := c.ImportDir(folder, 0)
	if none := (*build.NoGoError)(nil); errors.As(err, &none) {
		return p.SFiles
	}
	require.NoError(t, err)
	return p.SFiles
}
