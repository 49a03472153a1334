package fill

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"caesar/bench/sample"
)

// PocketBase fills a data folder of PocketBase by the program of bench/pocketbase, which makes the folder
// where there is none.
func PocketBase(ctx context.Context, filler, folder string, size Size) error {
	cmd := exec.CommandContext(ctx, filler, folder, sample.LoginPassword) //nolint:gosec // it was built for this
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("fill PocketBase: %w", err)
	}
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("fill PocketBase: %w", err)
	}
	err = errors.Join(writeLines(in, size), in.Close())
	if failed := cmd.Wait(); failed != nil {
		return fmt.Errorf("fill PocketBase: %w\n%s", failed, &output)
	}
	if err != nil {
		return fmt.Errorf("fill PocketBase: %w", err)
	}
	return nil
}

// writeLines writes people and items as bench/pocketbase reads them.
func writeLines(to io.Writer, size Size) error {
	w := bufio.NewWriterSize(to, 256<<10)
	for i := range size.People {
		p := sample.Person(i)
		fmt.Fprintf(w, "P\t%s\t%s\n", p.Email(), p.Name())
	}
	for k := range size.People * size.Items {
		person, n := size.at(k)
		item := sample.Person(person).Item(n)
		fmt.Fprintf(w, "I\t%d\t%s\t%s\t%s\t%s\t%s\n", person, item.Name, item.Email, item.Password, item.Platform, item.URL)
	}
	return w.Flush()
}
