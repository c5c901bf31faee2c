package main

import (
	"os"
	"os/exec"
	"strconv"
)

// scenes generates the questions about pictures: 9,800 to train on, 1,000 to test on.
func scenes(r *runner, directory string) ([]string, error) {
	pictures := 9800
	if r.smoke {
		pictures = 1000
	}
	c := exec.Command("go", "run", "./tasks/sortofclevr", "-o", directory, "-scenes", strconv.Itoa(pictures))
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	return []string{directory}, c.Run()
}
