// Everything that maxim-go logs, in one trace. tests/fixtures/maxim-go-0.2.1 holds what it sent when it was recorded.
//
// Usage: everything URL KEY
package main

import (
	"errors"
	"log"
	"os"
	"path/filepath"
	"time"

	maxim "github.com/maximhq/maxim-go"
	"github.com/maximhq/maxim-go/logging"
	"github.com/maximhq/maxim-go/schemas"
)

type object = map[string]interface{}

var messages = []schemas.CompletionRequest{
	{Role: "system", Content: "help"},
	{Role: "user", Content: []interface{}{object{"type": "text", "text": "hi"}}},
}

func main() {
	client := maxim.Init(&maxim.MaximSDKConfig{BaseUrl: &os.Args[1], ApiKey: os.Args[2]})
	logger, err := client.GetLogger(&logging.LoggerConfig{Id: "repo-go"})
	if err != nil {
		log.Fatal(err)
	}
	session := logger.Session(&logging.SessionConfig{
		Id:   "session-go-1",
		Name: maxim.StrPtr("Chat"),
		Tags: &map[string]string{"k": "v<&>\u2028"},
	})
	trace := session.AddTrace(&logging.TraceConfig{
		Id:   "trace-go-1",
		Name: maxim.StrPtr("Ticket"),
		Tags: &map[string]string{"plan": "pro"},
	})
	span := trace.AddSpan(&logging.SpanConfig{Id: "span-go-1", Name: maxim.StrPtr("reply")})
	inner := span.AddSubSpan(&logging.SpanConfig{Id: "span-go-2", Name: maxim.StrPtr("inner")})

	describe(logger, trace)
	answer(logger, trace, inner)
	lookUp(trace, span, inner)
	attach(trace, span)

	logger.EndSpan("span-go-2")
	span.End()
	trace.End()
	session.SetFeedback(&logging.Feedback{Score: 5})
	session.End()
	client.Cleanup()
}

func describe(logger *logging.Logger, trace *logging.Trace) {
	trace.SetInput("My internet is not working").SetOutput("Sorry")
	trace.AddTag("env", "prod")
	trace.AddMetadata(object{"n": 1, "f": 1.5, "o": object{"a": 1}, "s": "x", "b": true, "nil": nil})
	trace.AddMetric("ttft_ms", 180.5)
	trace.AddEvent("event-1", "asked", &map[string]string{"a": "b"})
	logger.AddEventToTrace(trace.Id(), "event-2", "asked-again", nil)
	trace.SetFeedback(&logging.Feedback{Score: 4, Comment: maxim.StrPtr("good")})
	_ = trace.Evaluate().WithEvaluators([]string{"bias", "bias"})
}

func generation(id, provider string) *logging.GenerationConfig {
	return &logging.GenerationConfig{
		Id:              id,
		Name:            maxim.StrPtr("gather-information"),
		Provider:        provider,
		Model:           "gpt-4o",
		MaximPromptID:   maxim.StrPtr("prompt-1"),
		Messages:        messages,
		ModelParameters: object{"temperature": 0.7, "stop": []string{"a"}},
	}
}

func answer(logger *logging.Logger, trace *logging.Trace, span *logging.Span) {
	typed := span.AddGeneration(generation("gen-go-1", logging.ProviderOpenAI))
	typed.AddMessage(schemas.CompletionRequest{Role: "user", Content: "more"})
	typed.SetModel("gpt-4o-2024-08-06")
	typed.SetModelParameters(object{"temperature": 0.1})
	typed.SetMaximPromptID("prompt-2")
	typed.AddMetric("tps", 12)
	logger.AddEventToGeneration(typed.Id(), "event-3", "token", nil)
	typed.SetResult(schemas.ChatCompletionResult{
		ID:      "chatcmpl-123",
		Object:  "chat.completion",
		Created: time.Now().Unix(),
		Model:   "gpt-4o",
		Choices: []schemas.ChatCompletionChoice{{
			Message: schemas.ChatCompletionMessage{
				Role:    "assistant",
				Content: maxim.StrPtr("May I have your id?"),
				ToolCalls: []schemas.ChatCompletionToolCall{{
					ID:       "call_1",
					Type:     "function",
					Function: schemas.ToolCallFunction{Name: "look-up", Arguments: "{}"},
				}},
			},
			FinishReason: "stop",
		}},
		Usage: schemas.Usage{PromptTokens: 100, CompletionTokens: 50, TotalTokens: 150},
		Cost:  &schemas.Cost{Input: 0.1, Output: 0.2, Total: 0.3},
	})
	typed.End()
	_ = typed.Evaluate().WithVariablesAndEvaluators(map[string]string{"input": "x"}, []string{"bias"})

	failed := trace.AddGeneration(generation("gen-go-2", logging.ProviderOpenAI))
	failed.SetError(&schemas.GenerationError{
		Message: "rate limited",
		Code:    maxim.StrPtr("429"),
		Type:    maxim.StrPtr("rate_limit"),
	})

	// No provider that the SDK knows by this name: it says so on stderr and sends no result.
	unknown := trace.AddGeneration(generation("gen-go-3", "bedrock"))
	unknown.SetResult(object{"id": "x"})
	unknown.End()

	// Anthropic's own shape is rewritten, and its cached tokens are left out.
	anthropic := trace.AddGeneration(generation("gen-go-4", logging.ProviderAnthropic))
	anthropic.SetResult(object{
		"id":          "msg_1",
		"type":        "message",
		"role":        "assistant",
		"model":       "claude",
		"content":     []object{{"type": "text", "text": "Hi"}},
		"stop_reason": "end_turn",
		"usage":       object{"input_tokens": 10, "output_tokens": 3, "cache_read_input_tokens": 7},
	})

	completion := object{
		"id":      "chatcmpl-5",
		"choices": []object{{"index": 0, "message": object{"role": "assistant", "content": "raw"}}},
		"usage": object{
			"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12,
			"prompt_tokens_details": object{"cached_tokens": 5},
		},
	}
	raw := trace.AddGeneration(generation("gen-go-5", logging.ProviderOpenAI))
	logger.AddResultToGeneration(raw.Id(), completion) // as it is
	parsed := trace.AddGeneration(generation("gen-go-6", logging.ProviderOpenAI))
	parsed.SetResult(completion) // without what the SDK has no field for
}

func lookUp(trace *logging.Trace, span, inner *logging.Span) {
	found := inner.AddToolCall(&logging.ToolCallConfig{
		Id:          "call_1",
		Name:        maxim.StrPtr("look-up"),
		Description: maxim.StrPtr("finds a customer"),
		Args:        maxim.StrPtr(`{"id": 1}`),
	})
	found.SetResult("found")
	bare := trace.AddToolCall(&logging.ToolCallConfig{Id: "call_2"})
	bare.SetError(errors.New("not reachable"))

	retrieval := trace.AddRetrieval(&logging.RetrievalConfig{Id: "ret-1", Name: maxim.StrPtr("docs")})
	retrieval.SetInput("router")
	retrieval.AddMetric("precision", 0.5)
	retrieval.SetOutput([]string{"one", "two"})

	// The message of an error cannot be given: its field is private to the SDK.
	broken := span.AddError(&logging.ErrorConfig{
		Id:   "err-1",
		Name: maxim.StrPtr("boom"),
		Tags: &map[string]string{"x": "y"},
	})
	broken.AddTag("late", "1")
}

func attach(trace *logging.Trace, span *logging.Span) {
	trace.AddAttachment(&logging.FileDataAttachment{
		BaseAttachmentProps: logging.BaseAttachmentProps{ID: "att-1", Name: "shot.png"},
		Data:                []byte("\x89PNG1234"),
	})
	trace.AddAttachment(&logging.UrlAttachment{
		BaseAttachmentProps: logging.BaseAttachmentProps{ID: "att-2", Metadata: map[string]string{"a": "b"}},
		URL:                 "https://example.com/a/b.png",
	})
	note := filepath.Join(os.TempDir(), "note.txt")
	if err := os.WriteFile(note, []byte("a note"), 0o600); err != nil {
		log.Fatal(err)
	}
	span.AddAttachment(&logging.FileAttachment{Path: note})
}
