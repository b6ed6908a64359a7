-- Words of prompt and completion are found whatever their case, in every script, and where JSON text has a line's end, a name a dot or
-- underscore between them: words of ASCII whole, of other letters each by itself. What is stored already gets the new indexes in
-- the background; until then its words are looked for row by row.
ALTER TABLE spans DROP INDEX IF EXISTS input_index;
ALTER TABLE spans DROP INDEX IF EXISTS output_index;
ALTER TABLE spans ADD INDEX IF NOT EXISTS input_words input TYPE text(tokenizer = 'asciiCJK', posting_list_codec = 'bitpacking', preprocessor = lowerUTF8(replaceAll(translate(input, '_.:\'', '    '), '\\n', ' ')));
ALTER TABLE spans ADD INDEX IF NOT EXISTS output_words output TYPE text(tokenizer = 'asciiCJK', posting_list_codec = 'bitpacking', preprocessor = lowerUTF8(replaceAll(translate(output, '_.:\'', '    '), '\\n', ' ')));
ALTER TABLE spans MATERIALIZE INDEX input_words;
ALTER TABLE spans MATERIALIZE INDEX output_words;
