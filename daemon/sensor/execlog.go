package sensor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	logLines  = 20 // in a minute
	logLength = 512
)

// copyLog hands the lines of r to log: the first logLines of each minute, cut to
// logLength, and then how many were left out.
func copyLog(r io.Reader, log func(string)) {
	in := bufio.NewReaderSize(r, logLength)
	minute, count := time.Now(), 0
	leftOut := func() {
		if count > logLines {
			log(fmt.Sprintf("%d lines left out", count-logLines))
		}
	}
	defer leftOut()
	for {
		line, err := in.ReadSlice('\n')
		text := strings.TrimSpace(strings.ToValidUTF8(string(line), "?"))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if time.Since(minute) > time.Minute {
			leftOut()
			minute, count = time.Now(), 0
		}
		if text != "" {
			if count++; count <= logLines {
				log(text)
			}
		}
		if err != nil {
			return
		}
	}
}
