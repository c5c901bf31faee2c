// Command man writes the manual pages: one for ragedge, one for each of its
// verbs, and one for the configuration file. What they say is what a ragedge
// binary prints as help and as its default configuration.
//
//	go run ./systemd/man BINARY DIRECTORY
//
// BINARY must run on this machine. The date on the pages is SOURCE_DATE_EPOCH,
// or today.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: man BINARY DIRECTORY")
		os.Exit(2)
	}
	if err := writeAll(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// writeAll writes every page into directory, which it makes.
func writeAll(binary, directory string) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	day, err := date()
	if err != nil {
		return err
	}
	ask := func(args ...string) (string, error) {
		out, err := exec.Command(binary, args...).Output()
		if err != nil {
			return "", fmt.Errorf("%s %s: %w", binary, strings.Join(args, " "), err)
		}
		return string(out), nil
	}
	pages, err := commandPages(ask, day)
	if err != nil {
		return err
	}
	text, err := ask("config", "default")
	if err != nil {
		return err
	}
	if pages["ragedge.toml.5"], err = configPage(text, day); err != nil {
		return err
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// date is the day that the pages carry.
func date() (string, error) {
	at := time.Now()
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return "", fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		at = time.Unix(seconds, 0)
	}
	return at.UTC().Format(time.DateOnly), nil
}
