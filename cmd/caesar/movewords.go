package main

import (
	"fmt"
	"strings"

	"caesar/internal/phrase"
	"caesar/internal/sqlstore/sqlmove"
)

// sayAgain says that there was nothing to do, and what was done with the blobs before.
func (m *mover) sayAgain(done sqlmove.Blobs) error {
	where := phrase.MovedNoBlobs.With(m.folder())
	if done.Place != "" {
		where = phrase.MovedBlobsThere.With(done.Place)
	}
	words := []phrase.Phrase{phrase.MoveAgain, where}
	if done.Lost > 0 {
		words = append(words, phrase.MovedLost.With(done.Lost))
	}
	return m.sayAll(words, done.Place != "")
}

// sayMoved says what was moved, and what is left to do.
func (m *mover) sayMoved() error {
	words := []phrase.Phrase{phrase.MovedRows.With(m.all, m.people, m.items)}
	if m.mended > 0 {
		words = append(words, phrase.MovedMended.With(m.mended))
	}
	if m.blobs == nil {
		words = append(words, phrase.MovedNoBlobs.With(m.folder()))
	} else {
		words = append(words, m.blobWords()...)
	}
	return m.sayAll(words, m.blobs != nil)
}

// sayBrought says that the blobs followed the rows.
func (m *mover) sayBrought() error {
	return m.sayAll(append([]phrase.Phrase{phrase.MovedBefore}, m.blobWords()...), true)
}

// blobWords say what was done with the blobs.
func (m *mover) blobWords() []phrase.Phrase {
	words := []phrase.Phrase{phrase.MovedBlobs.With(m.moved, inUnits(m.movedBytes), m.blobs.String())}
	if m.already {
		words[0] = phrase.MovedBlobsKept.With(m.blobs.String(), m.moved, inUnits(m.movedBytes))
	}
	if found := m.found.Load(); found > 0 {
		words = append(words, phrase.MovedFound.With(found))
	}
	if m.lost.count > 0 {
		words = append(words, phrase.MovedLost.With(m.lost.count))
	}
	return words
}

// sayAll says what was done and what is left to do; away is whether the blobs have left the data folder.
func (m *mover) sayAll(done []phrase.Phrase, away bool) error {
	if err := m.say(append(done, phrase.Phrase{}, phrase.MovedNext)...); err != nil {
		return err
	}
	return m.sayNext(away)
}

// sayNext says how to serve what was moved. Where the backups stay in the data folder, it is needed still.
func (m *mover) sayNext(away bool) error {
	s := m.settings
	if away {
		command := "CAESAR_DATABASE_FILE=… CAESAR_BLOBS_FILE=… CAESAR_ROOT_KEY_FILE=… CAESAR_BACKUP_KEY_FILE=… caesar serve"
		return m.say(phrase.MovedKeys.With(s.RootKeyFile, s.BackupKeyFile), phrase.MovedServe.With(command), phrase.MovedSource)
	}
	command := "CAESAR_DATABASE_FILE=… caesar serve --data " + s.Data
	return m.say(phrase.MovedKeysThere.With(s.RootKeyFile, s.BackupKeyFile), phrase.MovedServe.With(command), phrase.MovedFolder.With(databaseFile(s)))
}

// say says words, each on a line of its own.
func (m *mover) say(words ...phrase.Phrase) error {
	var text strings.Builder
	for _, w := range words {
		text.WriteString(w.In(m.language) + "\n")
	}
	_, err := fmt.Fprint(m.out, text.String())
	return err
}
