"""The agent that answers the clinic's phone."""

from pathlib import Path

from agent_worker.agent import AgentDefinition, Phrases
from agent_worker.reasoning.templates import Templates
from examples.clinic.address import ClinicClientSettings
from examples.clinic.agent import appointments, front_desk
from examples.clinic.agent.client import ClinicClient, open_clinic, open_rehearsal
from service_base.settings import load

AGENT = AgentDefinition(
    name="Maple Street Clinic",
    greeting=(
        "Maple Street Clinic, this is the automated assistant. In an emergency, hang up and call "
        "112 or 911. How can I help you?"
    ),
    instructions=(
        "You are the automated voice assistant of Maple Street Clinic, a doctor's practice. You "
        "are a machine and say so when asked. Answer in one or two short spoken sentences, "
        "without lists, markup or emoji. Use the tools for every fact about appointments, opening "
        "hours and the clinic; never make one up. You give no medical advice. If anybody may be "
        "in danger, such as with chest pain, trouble breathing or heavy bleeding, tell the caller "
        "to hang up and call 112 or 911, before anything else. When you cannot help, offer that a "
        "person calls back."
    ),
    templates=Templates.load(Path(__file__).with_name("intents.yaml")),
    tools=(
        appointments.free_times,
        appointments.book_appointment,
        appointments.my_appointments,
        appointments.move_appointment,
        appointments.cancel_appointment,
        front_desk.opening_hours,
        front_desk.where_we_are,
        front_desk.new_patients,
        front_desk.renew_prescription,
        front_desk.call_back,
    ),
    open=open_clinic,
    open_rehearsal=open_rehearsal,
    provides=(ClinicClient,),
    time_zone=load(ClinicClientSettings).clinic_timezone,
    fallback_tool="call_back",
    fallback_question="I'm sorry, I still don't follow. Shall a colleague call you back?",
    phrases=Phrases(
        not_understood=(
            "Sorry, I didn't get that. I can book, move or cancel an appointment, renew a "
            "prescription, or tell you our opening hours.",
            "I'm sorry, I still don't follow. Please tell me in a few words what you need.",
        )
    ),
)
