// A support bot gathers information from a customer: Java, by OpenTelemetry and the OTLP route that Maxim offers beside its SDKs.
//
//   make example-maxim_java
//
// In a project of your own: copy this directory, then mvn compile exec:java. GENSCOPE_URL says where the server is, by default
// where `make run` starts it; GENSCOPE_SECRET_KEY is the sk-gs-... that it printed.

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.util.UUID;
import java.util.function.Supplier;

public final class Support {
  private static final String SESSION = "session-" + UUID.randomUUID();
  private static final String ANSWER = "Sorry to hear that. Can you please share your customer id?";
  private static final String MESSAGES =
      """
      [
        {"role": "system", "parts": [{"type": "text", "content": "You gather information from customers of an internet provider."}]},
        {"role": "user", "parts": [{"type": "text", "content": "My internet is not working"}]}
      ]
      """;

  private record Response(String text, long inputTokens, long outputTokens) {}

  /** Stands in for the client of your model's provider. */
  private static Response callModel() {
    return new Response(ANSWER, 100, 50);
  }

  /** Fails as a provider does that has too much to do. */
  private static Response callOverloadedModel() {
    throw new IllegalStateException("the model is overloaded");
  }

  /** Records a call, whether it succeeds or not. */
  private static void generate(Tracer tracer, String name, Supplier<Response> call) {
    Span span =
        tracer
            .spanBuilder(name)
            .setSpanKind(SpanKind.CLIENT)
            .setAttribute("gen_ai.operation.name", "chat")
            .setAttribute("gen_ai.provider.name", "openai")
            .setAttribute("gen_ai.request.model", "gpt-4o")
            .setAttribute("gen_ai.request.temperature", 0.7)
            .setAttribute("gen_ai.conversation.id", SESSION)
            .setAttribute("gen_ai.input.messages", MESSAGES)
            .startSpan();
    try {
      Response response = call.get();
      String output = "[{\"role\": \"assistant\", \"parts\": [{\"type\": \"text\", \"content\": \"%s\"}]}]";
      span.setAttribute("gen_ai.output.messages", output.formatted(response.text()));
      span.setAttribute("gen_ai.usage.input_tokens", response.inputTokens());
      span.setAttribute("gen_ai.usage.output_tokens", response.outputTokens());
    } catch (IllegalStateException error) {
      span.setStatus(StatusCode.ERROR, error.getMessage());
    } finally {
      span.end();
    }
  }

  public static void main(String[] arguments) {
    String url = System.getenv().getOrDefault("GENSCOPE_URL", "http://127.0.0.1:4318");
    OtlpHttpSpanExporter exporter =
        OtlpHttpSpanExporter.builder()
            .setEndpoint(url + "/v1/otel")
            .addHeader("x-maxim-api-key", System.getenv("GENSCOPE_SECRET_KEY"))
            .addHeader("x-maxim-repo-id", "support")
            .build();
    SdkTracerProvider provider =
        SdkTracerProvider.builder().addSpanProcessor(BatchSpanProcessor.builder(exporter).build()).build();
    Tracer tracer = provider.get("support");

    Attributes session = Attributes.of(AttributeKey.stringKey("session.id"), SESSION);
    Span root = tracer.spanBuilder("answer-customer").setAllAttributes(session).startSpan();
    try (Scope inRoot = root.makeCurrent()) {
      Span span = tracer.spanBuilder("gather-information").startSpan();
      try (Scope inSpan = span.makeCurrent()) {
        generate(tracer, "ask-for-customer-id", Support::callModel);
      }
      span.end();
      generate(tracer, "suggest-appointment", Support::callOverloadedModel);
    }
    root.end();

    provider.close(); // sends what is waiting
    System.out.println("recorded as trace " + root.getSpanContext().getTraceId());
  }
}
