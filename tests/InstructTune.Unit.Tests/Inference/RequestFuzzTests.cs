using Google.Protobuf;
using InstructTune.Hosting;
using InstructTune.Inference.Api;
using InstructTune.Inference.Models;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Inference;

/// <summary>Messages as nobody would write them: they are read, or refused by field, and nothing else.</summary>
public sealed class RequestFuzzTests
{
    private const int Count = 6000;

    private static readonly double[] _doubles =
        [0, 1, -1, 0.5, 2, 100, -100, 1e-300, 1e300, double.Epsilon, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MinValue];

    private static readonly int[] _integers = [0, 1, -1, 2, 16, 17, 20, 21, 64, 65, 128, 129, 1024, 1025, int.MaxValue, int.MinValue];

    private static readonly string[] _texts =
        ["", "x", "models/a/versions/1", "models/a/versions/latest", "user", "assistant", "\0", "\U0001F600", new('s', 64), new('s', 65), new('t', 129), "../..", "a\nb"];

    [Fact]
    public void A_request_with_any_values_is_read_or_refused_by_field()
    {
        var random = new Random(7);
        var (read, refused) = (0, 0);
        for (var i = 0; i < Count; i++)
        {
            var request = new GenerateRequest { Model = _texts[2 + (i % 2)], RawPrompt = "p", Sampling = new SamplingParameters() };
            Fill(request, random, fields: random.Next(1, 6), depth: 0);
            var isRead = Try(() => GenerateReading.Read(request, WeightForm.Torch, []));
            (read, refused) = isRead ? (read + 1, refused) : (read, refused + 1);
        }

        // Where all are refused, or none is, nothing was tried.
        Assert.True(read > Count / 20 && refused > Count / 20, $"{read} were read and {refused} refused.");
    }

    [Fact]
    public void Bytes_that_were_changed_are_read_or_refused()
    {
        var random = new Random(8);
        var parsed = 0;
        for (var i = 0; i < Count; i++)
        {
            var request = new GenerateRequest { Model = "models/a/versions/1", RawPrompt = "hello", MaxOutputTokens = 3, Sampling = new SamplingParameters { Temperature = 1, Seed = 3 } };
            Fill(request, random, fields: 3, depth: 0);
            var bytes = request.ToByteArray();
            for (var change = random.Next(1, 5); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            if (Parse(GenerateRequest.Parser, bytes) is { } generate)
            {
                parsed++;
                Try(() => GenerateReading.Read(generate, WeightForm.Torch, []));
            }
            if (Parse(ScoreRequest.Parser, bytes) is { } score)
            {
                Try(() => ScoreReading.Read(score, WeightForm.Torch, []));
            }
        }

        Assert.True(parsed > Count / 20, $"{parsed} of {Count} were messages still.");
    }

    private static bool Try<T>(Func<T> read)
    {
        try
        {
            Assert.NotNull(read());
            return true;
        }
        catch (DomainException refusal)
        {
            Assert.Equal(ErrorReason.FieldInvalid, refusal.Reason);
            Assert.NotEmpty(refusal.Violations);
            Assert.All(refusal.Violations, violation => Assert.NotEmpty(violation.Field));
            return false;
        }
    }

    private static T? Parse<T>(MessageParser<T> parser, byte[] bytes)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <summary>Gives some fields of a message values of their type, down to three messages deep.</summary>
    private static void Fill(IMessage message, Random random, int fields, int depth)
    {
        for (; fields > 0; fields--)
        {
            var all = message.Descriptor.Fields.InDeclarationOrder();
            var field = all[random.Next(all.Count)];
            if (field.IsMap)
            {
                ((System.Collections.IDictionary)field.Accessor.GetValue(message))[Pick(_integers, random)] = Pick(_doubles, random);
            }
            else if (field.IsRepeated)
            {
                var list = (System.Collections.IList)field.Accessor.GetValue(message);
                for (var count = random.Next(3) == 0 ? random.Next(130) : random.Next(3); count > 0; count--)
                {
                    list.Add(ValueOf(field, random, depth));
                }
            }
            else if (field.FieldType != Google.Protobuf.Reflection.FieldType.Message || depth < 2)
            {
                field.Accessor.SetValue(message, ValueOf(field, random, depth));
            }
        }
    }

    private static object ValueOf(Google.Protobuf.Reflection.FieldDescriptor field, Random random, int depth)
    {
        switch (field.FieldType)
        {
            case Google.Protobuf.Reflection.FieldType.Double: return Pick(_doubles, random);
            case Google.Protobuf.Reflection.FieldType.Int32: return Pick(_integers, random);
            case Google.Protobuf.Reflection.FieldType.UInt64: return (ulong)Pick(_integers, random);
            case Google.Protobuf.Reflection.FieldType.Bool: return random.Next(2) == 0;
            case Google.Protobuf.Reflection.FieldType.String: return Pick(_texts, random);
            case Google.Protobuf.Reflection.FieldType.Enum: return random.Next(-1, 6);
            case Google.Protobuf.Reflection.FieldType.Message:
                var inner = field.MessageType.Parser.ParseFrom([]);
                Fill(inner, random, fields: random.Next(3), depth + 1);
                return inner;
            default: throw new NotSupportedException(field.FullName);
        }
    }

    private static T Pick<T>(T[] values, Random random) => values[random.Next(values.Length)];
}
