package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/train"
)

// tableSuffix is that of a file that `ragedge features` wrote.
const tableSuffix = ".safetensors"

// readSet makes one set of examples of recordings, or opens one table, and renames
// labels, of which some may not be there. Without files the recordings are those that the
// configuration names. What is left out is said to complain. Close it.
func readSet(ctx context.Context, complain io.Writer, config daemon.Config, files []string, labels map[string]string) (*train.Set, error) {
	set, err := readFiles(ctx, complain, config, files)
	if err != nil {
		return nil, err
	}
	set.Rename(labels)
	return set, nil
}

func readFiles(ctx context.Context, complain io.Writer, config daemon.Config, patterns []string) (*train.Set, error) {
	files, err := expandFiles(patterns)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if !strings.HasSuffix(file, tableSuffix) {
			continue
		}
		if len(files) > 1 {
			return nil, fmt.Errorf("%w: %s is a table: it must be the only file", daemon.ErrData, file)
		}
		return train.OpenSet(file)
	}
	table, err := daemon.FeatureTable(ctx, config, daemon.Environment{Version: thisBuild().Version}, files, "")
	if err != nil {
		return nil, err
	}
	sayEmpty(complain, table.Empty)
	var names []string
	for _, file := range files {
		if !slices.Contains(table.Empty, file) {
			names = append(names, filepath.Base(file))
		}
	}
	for i := range config.Sensors {
		if file := config.Sensors[i].File; len(files) == 0 && file != "" {
			names = append(names, filepath.Base(file))
		}
	}
	return train.ReadSet(table, strings.Join(names, ", "))
}

// sayEmpty names the files that a table has nothing of.
func sayEmpty(complain io.Writer, files []string) {
	for _, file := range files {
		fmt.Fprintln(complain, "ragedge:", file, "is left out: it holds no readings, pushes or Results")
	}
}

// expandFiles puts the files that match, in the order of their names, in the place of a
// pattern. What matches nothing stays, for the error of whoever opens it.
func expandFiles(patterns []string) (files []string, err error) {
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", pattern, err)}
		}
		if len(matches) == 0 {
			matches = []string{pattern}
		}
		files = append(files, matches...)
	}
	return files, nil
}

// under returns the paths of files in a directory, those that are absolute as they are.
func under(dir string, files []string) []string {
	paths := make([]string, len(files))
	for i, file := range files {
		if paths[i] = file; !filepath.IsAbs(file) {
			paths[i] = filepath.Join(dir, file)
		}
	}
	return paths
}
